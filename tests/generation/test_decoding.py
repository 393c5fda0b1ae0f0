import math
from itertools import takewhile

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from smidgen.errors import BadInput, CheckFailed
from smidgen.generation.decoding import SlidingWindow, complete, greedy_batch
from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE, DigitTokenIds, ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.recipes.sampling import SamplingSettings

V, CONTEXT = 29, 24
GREEDY = SamplingSettings(temperature=0, max_new_tokens=12)
PROMPT = [3, 14, 15, 9, 2]

DIGITS = {
    "place_vocab_size": PLACE_VOCAB_SIZE,
    "role_vocab_size": ROLE_VOCAB_SIZE,
    "digit_token_ids": DigitTokenIds(
        digits=tuple(range(10)),
        operators=(10, 11, 12, 13),
        open_parenthesis=14,
        close_parenthesis=15,
        equals=16,
        line_starts=(17,),
    ),
}


def make_decoder(**changes):
    torch.manual_seed(0)
    sizes = {
        "vocab_size": V,
        "hidden_size": 21,
        "num_layers": 2,
        "num_heads": 3,
        "num_kv_heads": 1,
        "head_dim": 6,
        "intermediate_size": 28,
        "context_length": CONTEXT,
        "tie_embeddings": False,  # a tied model with random weights just repeats its last token
    }
    decoder = Decoder(ModelConfig(**sizes | changes))
    # Far-apart logits, so that rounding decides nowhere.
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return decoder


@pytest.fixture(params=["plain", "digit features"])
def decoder(request):
    return make_decoder(**(DIGITS if request.param == "digit features" else {}))


@pytest.fixture
def plain_decoder():
    return make_decoder()


@torch.no_grad()
def best_next(decoder, ids):
    return int(decoder(torch.tensor([ids]))[0, -1].argmax())


def greedy_without_cache(decoder, prompt, count):
    ids = list(prompt)
    for _ in range(count):
        ids.append(best_next(decoder, ids))
    return ids[len(prompt) :]


def test_greedy_text_equals_recomputing_everything_at_each_step(decoder):
    expected = greedy_without_cache(decoder, PROMPT, 12)
    assert len(set(expected)) > 3  # a constant text would prove little
    assert complete(decoder, PROMPT, GREEDY).token_ids == expected


def same_model_in_transformers(decoder):
    config = decoder.config
    llama = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            num_key_value_heads=config.num_kv_heads,
            head_dim=config.head_dim,
            intermediate_size=config.intermediate_size,
            rms_norm_eps=config.rms_norm_eps,
            rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
            eos_token_id=None,
            pad_token_id=0,
        )
    )
    weights = decoder.state_dict()
    llama.load_state_dict(
        {name if name.startswith("lm_head") else f"model.{name}": weights[name] for name in weights}
    )
    return llama.eval()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_writes_the_same_text_in_transformers(plain_decoder, seed):
    chosen = {"temperature": 1.5, "top_k": 9, "top_p": 0.95, "min_p": 0.01}
    chosen |= {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3, "max_new_tokens": 18}
    llama, prompt_1T = same_model_in_transformers(plain_decoder), torch.tensor([PROMPT])
    torch.manual_seed(seed)
    theirs = llama.generate(prompt_1T, attention_mask=torch.ones_like(prompt_1T), do_sample=True, **chosen)
    ours = complete(plain_decoder, PROMPT, SamplingSettings(**chosen), seed=seed)
    assert PROMPT + ours.token_ids == theirs[0].tolist()


def test_each_token_is_read_once(plain_decoder, monkeypatch):
    lengths = []
    hidden_states = plain_decoder.hidden_states
    monkeypatch.setattr(
        plain_decoder,
        "hidden_states",
        lambda ids_BT, **options: lengths.append(ids_BT.shape[1]) or hidden_states(ids_BT, **options),
    )
    complete(plain_decoder, PROMPT, GREEDY)
    assert lengths == [len(PROMPT)] + [1] * 11


def sliding_greedy_without_cache(decoder, prompt, count):
    window, written = list(prompt)[-CONTEXT:], []
    for _ in range(count):
        written.append(best_next(decoder, window))
        window.append(written[-1])
        if len(window) > CONTEXT:
            window = window[-(CONTEXT // 2) :]
    return written


@pytest.mark.parametrize("prompt_length", [CONTEXT - 1, CONTEXT, CONTEXT + 9])
def test_a_text_that_outgrows_the_context_keeps_its_last_half(decoder, prompt_length):
    prompt = [(7 * i * i + 3) % V for i in range(prompt_length)]
    settings = SamplingSettings(temperature=0, max_new_tokens=40)
    assert complete(decoder, prompt, settings).token_ids == sliding_greedy_without_cache(decoder, prompt, 40)
    assert greedy_batch(decoder, [prompt], max_new_tokens=40, stop_ids=()) == [
        sliding_greedy_without_cache(decoder, prompt, 40)
    ]


def test_the_window_never_exceeds_the_context(plain_decoder):
    window = SlidingWindow(plain_decoder)
    lengths = []
    with torch.inference_mode():
        for step in range(2 * CONTEXT):
            window.read(torch.tensor([[step % V]]))
            lengths.append(window.cache.length)
    assert lengths[:CONTEXT] == list(range(1, CONTEXT + 1))
    assert max(lengths) == CONTEXT
    assert lengths[CONTEXT] == CONTEXT // 2


def test_a_context_of_one_token_still_writes():
    decoder = make_decoder(context_length=1)
    ids = [PROMPT[-1]]
    for _ in range(12):
        ids.append(best_next(decoder, ids[-1:]))
    assert complete(decoder, PROMPT, GREEDY).token_ids == ids[1:]


def test_a_seed_gives_the_same_text_and_another_seed_another(plain_decoder):
    settings = SamplingSettings(max_new_tokens=12)
    first = complete(plain_decoder, PROMPT, settings, seed=1)
    torch.manual_seed(99)
    assert complete(plain_decoder, PROMPT, settings, seed=1) == first
    assert complete(plain_decoder, PROMPT, settings, seed=2) != first


def test_drawing_a_text_leaves_the_global_random_numbers_alone(plain_decoder):
    before = torch.get_rng_state()
    complete(plain_decoder, PROMPT, SamplingSettings(max_new_tokens=3))
    torch.testing.assert_close(torch.get_rng_state(), before, rtol=0, atol=0)


def test_a_stop_token_ends_the_text_and_is_no_part_of_it(plain_decoder):
    text = complete(plain_decoder, PROMPT, GREEDY).token_ids
    stop_id = text[5]
    heard = []
    stopped = complete(plain_decoder, PROMPT, GREEDY, stop_ids={stop_id, V + 1}, on_token=heard.append)
    assert stopped.token_ids == heard == text[: text.index(stop_id)]
    assert stopped.finish_reason == "stop"


def test_a_text_without_a_stop_token_ends_by_length(plain_decoder):
    completion = complete(plain_decoder, PROMPT, GREEDY)
    assert (len(completion.token_ids), completion.finish_reason) == (12, "length")
    nothing = complete(plain_decoder, PROMPT, SamplingSettings(max_new_tokens=0))
    assert (nothing.token_ids, nothing.finish_reason) == ([], "length")


@pytest.mark.parametrize("wanted", [0, 1, 4, 12])
def test_the_caller_can_stop_the_text_after_any_token(plain_decoder, wanted):
    heard = []
    completion = complete(
        plain_decoder, PROMPT, GREEDY, on_token=heard.append, stop_requested=lambda: len(heard) >= wanted
    )
    assert (len(completion.token_ids), completion.finish_reason) == (wanted, "stop")


def test_logprobs_are_those_of_the_model_whatever_the_settings(plain_decoder):
    settings = SamplingSettings(temperature=0.5, top_k=3, repetition_penalty=1.3, max_new_tokens=6)
    completion = complete(plain_decoder, PROMPT, settings, with_logprobs=True)
    ids = PROMPT + completion.token_ids
    with torch.no_grad():
        all_TV = plain_decoder(torch.tensor([ids[:-1]]))[0].log_softmax(dim=-1)
    expected = [float(all_TV[at - 1, ids[at]]) for at in range(len(PROMPT), len(ids))]
    assert completion.logprobs == pytest.approx(expected, abs=1e-4)
    assert complete(plain_decoder, PROMPT, settings).logprobs is None


def test_the_penalties_see_the_prompt_and_what_slid_out_of_the_window(plain_decoder):
    settings = SamplingSettings(temperature=0, no_repeat_ngram_size=1, max_new_tokens=V - len(PROMPT))
    completion = complete(plain_decoder, PROMPT, settings)
    # Each of the 29 tokens is used exactly once, although the context holds only 24.
    assert sorted(PROMPT + completion.token_ids) == list(range(V))


def test_on_token_runs_outside_of_inference_mode(plain_decoder):
    modes = []
    complete(plain_decoder, PROMPT, GREEDY, on_token=lambda _: modes.append(torch.is_inference_mode_enabled()))
    assert modes == [False] * 12


def test_a_batch_equals_prompt_by_prompt_in_the_order_given(decoder):
    prompts = [PROMPT, [1], [4, 5], [2, 3, 5, 7, 11], [8], [9, 9], [20] * 5]
    alone = [complete(decoder, prompt, GREEDY).token_ids for prompt in prompts]
    stop_id = alone[0][4]
    expected = [text[: text.index(stop_id)] if stop_id in text else text for text in alone]
    assert len({len(text) for text in expected}) > 1  # some stop early, some do not
    for max_batch_size in (1, 2, 256):
        batch = greedy_batch(decoder, prompts, max_new_tokens=12, stop_ids=[stop_id], max_batch_size=max_batch_size)
        assert batch == expected


def test_a_batch_stops_computing_once_its_longest_row_has_stopped(plain_decoder, monkeypatch):
    prompts = [[1], [22]]
    texts = [complete(plain_decoder, prompt, GREEDY).token_ids for prompt in prompts]
    stop_ids = {texts[0][3], texts[1][0]}
    expected = [list(takewhile(lambda token_id: token_id not in stop_ids, text)) for text in texts]
    assert 0 == len(expected[1]) < len(expected[0]) < 12
    steps = []
    logits = plain_decoder.logits
    monkeypatch.setattr(plain_decoder, "logits", lambda x_BC: steps.append(1) or logits(x_BC))
    assert greedy_batch(plain_decoder, prompts, max_new_tokens=12, stop_ids=stop_ids) == expected
    assert len(steps) == len(expected[0]) + 1


def test_nothing_asked_is_nothing_written(plain_decoder):
    assert greedy_batch(plain_decoder, [], max_new_tokens=5, stop_ids=()) == []
    assert greedy_batch(plain_decoder, [[1], [2]], max_new_tokens=0, stop_ids=()) == [[], []]


def test_an_empty_prompt_says_what_would_work(plain_decoder):
    with pytest.raises(BadInput, match=r"prompt is empty; .* at least one token"):
        complete(plain_decoder, [], GREEDY)
    with pytest.raises(BadInput, match="prompt is empty"):
        greedy_batch(plain_decoder, [[1], []], max_new_tokens=1, stop_ids=())


@pytest.mark.parametrize("outside", [-1, V])
def test_a_token_of_another_tokenizer_is_refused(plain_decoder, outside):
    with pytest.raises(BadInput, match=rf"token {outside} is outside of this model's vocabulary of {V} ids"):
        complete(plain_decoder, [1, outside], GREEDY)


def test_a_diverged_model_is_named_as_such(plain_decoder):
    torch.nn.init.constant_(plain_decoder.norm.weight, math.nan)
    with pytest.raises(CheckFailed, match="NaN"):
        complete(plain_decoder, PROMPT, GREEDY)
    with pytest.raises(CheckFailed, match="NaN"):
        greedy_batch(plain_decoder, [PROMPT], max_new_tokens=1, stop_ids=())
