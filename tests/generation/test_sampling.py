"""The reference is transformers 5.23: each sampler against its LogitsProcessor, the chain against generate()."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.generation import logits_process as reference

from smidgen.errors import BadInput, CheckFailed
from smidgen.generation.sampling import (
    ban_repeated_ngrams,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    penalize_repetition,
    processed_logits,
    sample,
    scale_by_temperature,
)
from smidgen.recipes.sampling import SamplingSettings

INF = float("inf")


def random_logits(B, V):
    return torch.randn(B, V, generator=torch.Generator().manual_seed(B * V)) * 4


def tied_logits(B, V):
    return random_logits(B, V).round()


def half_banned_logits(B, V):
    logits_BV = random_logits(B, V)
    logits_BV[:, 1::2] = -INF
    return logits_BV


def flat_logits(B, V):
    return torch.zeros(B, V)


def double_logits(B, V):
    return random_logits(B, V).double()


def random_ids(B, T, V):
    return torch.randint(V, (B, T), generator=torch.Generator().manual_seed(T))


def same_bits(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


for_all_logits = pytest.mark.parametrize(
    "logits_BV",
    [
        pytest.param(make(B, V), id=f"{make.__name__}-{B}x{V}")
        for make in (random_logits, tied_logits, half_banned_logits, flat_logits, double_logits)
        for B, V in ((1, 2), (3, 17), (5, 4099))
    ],
)
for_all_histories = pytest.mark.parametrize("T", [1, 2, 7, 64])


@for_all_logits
@pytest.mark.parametrize("temperature", [0.001, 0.3, 0.7, 1.0, 2.5])
def test_temperature_equals_transformers(logits_BV, temperature):
    same_bits(
        scale_by_temperature(logits_BV, temperature),
        reference.TemperatureLogitsWarper(temperature)(None, logits_BV),
    )


@for_all_logits
@pytest.mark.parametrize("k", [1, 2, 5, 50, 10_000])
def test_top_k_equals_transformers(logits_BV, k):
    same_bits(keep_top_k(logits_BV, k), reference.TopKLogitsWarper(k)(None, logits_BV))


@for_all_logits
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 0.95, 0.999, 1.0])
def test_top_p_equals_transformers(logits_BV, p):
    same_bits(keep_top_p(logits_BV, p), reference.TopPLogitsWarper(p)(None, logits_BV))


@for_all_logits
@pytest.mark.parametrize("p", [0.0, 0.01, 0.1, 0.5, 1.0])
def test_min_p_equals_transformers(logits_BV, p):
    same_bits(keep_min_p(logits_BV, p), reference.MinPLogitsWarper(p)(None, logits_BV))


@for_all_logits
@for_all_histories
@pytest.mark.parametrize("penalty", [0.5, 1.0, 1.1, 1.3, 5.0])
def test_repetition_penalty_equals_transformers(logits_BV, T, penalty):
    B, V = logits_BV.shape
    ids_BT = random_ids(B, T, V)
    same_bits(
        penalize_repetition(logits_BV, ids_BT, penalty),
        reference.RepetitionPenaltyLogitsProcessor(penalty)(ids_BT, logits_BV),
    )


@for_all_logits
def test_repetition_penalty_of_left_padded_rows_equals_transformers(logits_BV):
    B, V = logits_BV.shape
    ids_BT, padding_B = random_ids(B, 7, V), torch.arange(B)
    same_bits(
        penalize_repetition(logits_BV, ids_BT, 1.3, torch.arange(7) >= padding_B[:, None]),
        reference.RepetitionPenaltyLogitsProcessor(1.3, prompt_ignore_length=padding_B)(ids_BT, logits_BV),
    )


@for_all_logits
@for_all_histories
@pytest.mark.parametrize("ngram_size", [1, 2, 3, 9])
def test_no_repeat_ngram_equals_transformers(logits_BV, T, ngram_size):
    B = len(logits_BV)
    ids_BT = random_ids(B, T, 2)  # two symbols only, so that every n-gram recurs
    same_bits(
        ban_repeated_ngrams(logits_BV, ids_BT, ngram_size),
        reference.NoRepeatNGramLogitsProcessor(ngram_size)(ids_BT, logits_BV),
    )


def test_ids_that_the_model_can_read_but_not_write_are_left_alone_as_in_transformers():
    logits_BV, ids_BT = random_logits(2, 5), torch.tensor([[9, 1, 9], [4, 5, 4]])
    same_bits(
        penalize_repetition(logits_BV, ids_BT, 1.3),
        reference.RepetitionPenaltyLogitsProcessor(1.3)(ids_BT, logits_BV),
    )
    same_bits(
        ban_repeated_ngrams(logits_BV, ids_BT, 2),
        reference.NoRepeatNGramLogitsProcessor(2)(ids_BT, logits_BV),
    )


@pytest.mark.parametrize("ngram_size", [1, 2, 3])
def test_a_left_padded_row_is_treated_as_if_it_had_come_alone(ngram_size):
    settings = SamplingSettings(repetition_penalty=1.5, no_repeat_ngram_size=ngram_size)
    logits_1V = random_logits(1, 11)
    ids_1T = torch.tensor([[7, 0, 7, 0, 7]])
    # The padding repeats real tokens on purpose: mistaken for text, it would ban and penalise more.
    padded_1S = torch.cat([torch.tensor([[0, 3, 7, 3]]), ids_1T], dim=1)
    mask_1S = torch.arange(9)[None] >= 4
    alone = processed_logits(logits_1V, ids_1T, settings)
    same_bits(processed_logits(logits_1V, padded_1S, settings, mask_1S), alone)
    assert not torch.equal(processed_logits(logits_1V, padded_1S, settings), alone)


def test_a_row_of_padding_and_less_than_one_ngram_bans_nothing():
    logits_1V, ids_1T = random_logits(1, 11), torch.tensor([[0, 0, 0, 5]])
    same_bits(ban_repeated_ngrams(logits_1V, ids_1T, 3, torch.tensor([[False, False, False, True]])), logits_1V)


@pytest.mark.parametrize("sampler", [keep_top_k, keep_top_p, keep_min_p])
def test_the_filters_leave_their_input_unchanged(sampler):
    logits_BV = random_logits(3, 17)
    before = logits_BV.clone()
    sampler(logits_BV, 1)
    same_bits(logits_BV, before)


CHAINS = [
    SamplingSettings(),
    SamplingSettings(temperature=0.7),
    SamplingSettings(temperature=0.8, top_k=20, top_p=0.9, min_p=0.05),
    SamplingSettings(temperature=1.4, top_k=7, top_p=0.8, repetition_penalty=1.3, no_repeat_ngram_size=2),
    SamplingSettings(top_p=0.5, min_p=0.2, repetition_penalty=0.8),
    SamplingSettings(temperature=0, repetition_penalty=1.2, no_repeat_ngram_size=3, top_k=2, top_p=0.5),
    SamplingSettings(temperature=0),
]


@pytest.fixture(scope="module")
def llama():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=47,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=3,
        num_key_value_heads=1,
        initializer_range=0.5,  # far-apart logits, so that the filters differ
        bos_token_id=1,
        eos_token_id=None,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()


def generated_by_transformers(llama, ids_BT, settings, seed, attention_mask=None):
    torch.manual_seed(seed)
    warpers = {"temperature": None, "top_k": None, "top_p": None, "min_p": None}
    if not settings.is_greedy:
        warpers = {name: getattr(settings, name) for name in warpers}
    return llama.generate(
        ids_BT,
        attention_mask=torch.ones_like(ids_BT) if attention_mask is None else attention_mask,
        do_sample=not settings.is_greedy,
        repetition_penalty=settings.repetition_penalty,
        no_repeat_ngram_size=settings.no_repeat_ngram_size,
        max_new_tokens=24,
        output_scores=True,
        output_logits=True,
        return_dict_in_generate=True,
        **warpers,
    )


@pytest.mark.parametrize("settings", CHAINS, ids=str)
def test_the_chain_equals_every_step_of_a_real_generate_call(llama, settings):
    prompts_BT = random_ids(3, 5, 47)
    theirs = generated_by_transformers(llama, prompts_BT, settings, seed=11)
    generator = torch.Generator().manual_seed(11)
    for step, (logits_BV, scores_BV) in enumerate(zip(theirs.logits, theirs.scores, strict=True)):
        history_BS = theirs.sequences[:, : 5 + step]
        same_bits(processed_logits(logits_BV, history_BS, settings), scores_BV)
        # The same draws from the same seed: not only the odds agree but the text.
        same_bits(sample(logits_BV, history_BS, settings, generator), theirs.sequences[:, 5 + step])


def test_the_chain_with_left_padding_equals_a_real_generate_call(llama):
    settings = SamplingSettings(temperature=0.9, top_p=0.9, repetition_penalty=1.4)
    prompts_BT = random_ids(3, 5, 47)
    mask_BT = torch.arange(5) >= torch.tensor([[0], [2], [4]])
    theirs = generated_by_transformers(llama, prompts_BT, settings, seed=3, attention_mask=mask_BT.long())
    for step, (logits_BV, scores_BV) in enumerate(zip(theirs.logits, theirs.scores, strict=True)):
        mask_BS = torch.cat([mask_BT, torch.ones(3, step, dtype=torch.bool)], dim=1)
        same_bits(processed_logits(logits_BV, theirs.sequences[:, : 5 + step], settings, mask_BS), scores_BV)


def test_the_order_of_application_matters_so_the_chain_tests_can_fail():
    logits_BV = random_logits(3, 47)
    hot_last = scale_by_temperature(keep_top_p(logits_BV, 0.5), 3.0)
    assert not torch.equal(hot_last, processed_logits(logits_BV, None, SamplingSettings(temperature=3.0, top_p=0.5)))


def test_greedy_takes_the_best_token_and_draws_nothing():
    logits_BV, generator = random_logits(3, 47), torch.Generator().manual_seed(0)
    before = generator.get_state()
    ids_B = sample(logits_BV, random_ids(3, 4, 47), SamplingSettings(temperature=0, top_k=1), generator)
    same_bits(ids_B, logits_BV.argmax(dim=-1))
    same_bits(generator.get_state(), before)


def test_a_draw_depends_on_its_generator_and_on_nothing_else():
    logits_BV, ids_BT = random_logits(64, 47), random_ids(64, 4, 47)

    def draw(seed):
        return sample(logits_BV, ids_BT, SamplingSettings(), torch.Generator().manual_seed(seed))

    first = draw(1)
    torch.manual_seed(99)
    same_bits(draw(1), first)
    assert not torch.equal(draw(2), first)


def test_draws_follow_the_filtered_probabilities():
    logits_BV = torch.tensor([[0.0, 1.0, 2.0, 3.0]]).expand(20_000, 4)
    history_BT = torch.zeros(20_000, 1, dtype=torch.long)
    ids_B = sample(logits_BV, history_BT, SamplingSettings(top_k=3), torch.Generator().manual_seed(0))
    shares = ids_B.bincount(minlength=4) / len(ids_B)
    expected = torch.tensor([-INF, 1.0, 2.0, 3.0]).softmax(dim=0)
    # Five standard errors of a share of one half among 20,000 draws are 0.018.
    torch.testing.assert_close(shares, expected, rtol=0, atol=0.018)
    assert shares[0] == 0


@pytest.mark.parametrize("temperature", [0, 1])
def test_a_vocabulary_banned_to_the_last_token_is_explained(temperature):
    settings = SamplingSettings(temperature=temperature, no_repeat_ngram_size=1)
    with pytest.raises(BadInput, match="no_repeat_ngram_size=1 bans all 3 ids"):
        sample(torch.zeros(1, 3), torch.tensor([[0, 1, 2]]), settings, torch.Generator())


@pytest.mark.parametrize("temperature", [0, 1])
def test_logits_that_are_not_numbers_are_explained(temperature):
    logits_BV = torch.tensor([[0.0, 1.0], [0.0, float("nan")]])
    with pytest.raises(CheckFailed, match="NaN"):
        sample(
            logits_BV,
            torch.zeros(2, 1, dtype=torch.long),
            SamplingSettings(temperature=temperature),
            torch.Generator(),
        )
