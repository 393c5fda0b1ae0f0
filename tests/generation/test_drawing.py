from dataclasses import replace

import pytest
import torch

from smidgen.errors import Interrupted
from smidgen.generation.decoding import greedy_batch
from smidgen.generation.drawing import draw_texts, judged_texts
from smidgen.recipes.sampling import SamplingSettings

from ..export.tiny import DIGITS, VOCAB_SIZE, tiny_model

SETTINGS = SamplingSettings(temperature=1.3, top_p=0.9, repetition_penalty=1.2, max_new_tokens=7)
PROMPTS = [[0, 71, 72], [0, 80, 81], [0, 90], [0, 71, 72]]


@pytest.fixture(scope="module")
def decoder():
    return tiny_model(xsa=True).decoder


def drawn(decoder, prompts=PROMPTS, settings=SETTINGS, **options):
    return draw_texts(decoder, prompts, settings, **{"stop_ids": set(), "seed": 5, **options})


def test_greedy_texts_are_those_of_greedy_decoding_whatever_the_lengths(decoder):
    greedy = replace(SETTINGS, temperature=0.0, repetition_penalty=1.0)
    expected = greedy_batch(decoder, PROMPTS, max_new_tokens=7, stop_ids=set())
    assert [text.token_ids for text in drawn(decoder, settings=greedy)] == expected
    assert [text.token_ids for text in drawn(decoder, settings=greedy, most_at_once=1)] == expected


def test_the_same_seed_draws_the_same_and_equal_prompts_draw_apart(decoder):
    first, second = drawn(decoder), drawn(decoder)
    assert first == second
    assert drawn(decoder, seed=6) != first
    assert first[0].token_ids != first[3].token_ids


def test_a_text_ends_before_its_stop_token_and_the_others_go_on(decoder):
    whole = drawn(decoder)
    stop = whole[0].token_ids[3]
    ended = drawn(decoder, stop_ids={stop})
    for text, before in zip(ended, whole, strict=True):
        expected = before.token_ids[: before.token_ids.index(stop)] if stop in before.token_ids else before.token_ids
        assert text.token_ids == expected
        assert text.finish_reason == ("stop" if stop in before.token_ids else "length")
        assert len(text.nats) == len(text.entropies) == len(expected)


def test_thoughts_are_those_of_the_model_before_any_setting(decoder):
    for prompt, text in zip(PROMPTS, drawn(decoder), strict=True):
        with torch.inference_mode():
            logprobs_TV = decoder(torch.tensor([[*prompt, *text.token_ids]]))[0].log_softmax(-1)
        for place, token in enumerate(text.token_ids):
            logprobs_V = logprobs_TV[len(prompt) - 1 + place]
            assert text.nats[place] == pytest.approx(-logprobs_V[token].item(), abs=1e-4)
            assert text.entropies[place] == pytest.approx(-(logprobs_V.exp() * logprobs_V).sum().item(), abs=1e-4)


def test_judging_a_text_gives_the_thoughts_of_writing_it(decoder):
    texts = drawn(decoder)
    judged = judged_texts(decoder, PROMPTS, [text.token_ids for text in texts])
    for one, other in zip(judged, texts, strict=True):
        assert one.token_ids == other.token_ids
        assert one.nats == pytest.approx(other.nats, abs=1e-4)
        assert one.entropies == pytest.approx(other.entropies, abs=1e-4)


def test_digit_features_see_the_whole_history():
    decoder = tiny_model(**DIGITS).decoder
    greedy = replace(SETTINGS, temperature=0.0, repetition_penalty=1.0)
    expected = greedy_batch(decoder, PROMPTS, max_new_tokens=7, stop_ids=set())
    assert [text.token_ids for text in drawn(decoder, settings=greedy)] == expected


def test_a_stop_in_between_is_an_interruption(decoder):
    answers = iter([False, False, True])
    with pytest.raises(Interrupted):
        drawn(decoder, stop_requested=lambda: next(answers))


def test_nothing_is_written_where_nothing_is_asked_for(decoder):
    assert drawn(decoder, settings=replace(SETTINGS, max_new_tokens=0))[2].token_ids == []
    assert max(token for text in drawn(decoder) for token in text.token_ids) < VOCAB_SIZE
