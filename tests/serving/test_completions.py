"""Answers of /v1/completions: the same text as ``complete`` writes, whatever else is asked for."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from smidgen.checkpoints.open_model import open_model
from smidgen.evaluation.log_likelihood import token_log_probabilities
from smidgen.generation.decoding import complete
from smidgen.generation.sampling import processed_logits
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.sampling import SamplingSettings
from smidgen.serving.app import completion_app
from smidgen.serving.limits import Limits

from ..checkpoints.foreign import write_model
from ..export.tiny import CONTEXT, DIGITS, PLAIN, RULES, VOCAB_SIZE, randomise, tiny_model
from .client import ask, asked, run

PROMPT = "The cats sat"
SETTINGS = {"temperature": 1.3, "top_k": 90, "top_p": 0.97, "min_p": 0.001}
SETTINGS |= {"repetition_penalty": 1.1, "no_repeat_ngram_size": 3}


def ids_of(model, text):
    return model.tokenizer.encode(text) or [model.tokenizer.end_of_text_id]


def written_alone(model, prompt, seed, **settings):
    """What ``smidgen generate`` writes."""
    tokenizer = model.tokenizer
    prompt_ids = ids_of(model, prompt) if isinstance(prompt, str) else prompt
    completion = complete(
        model.decoder,
        prompt_ids,
        replace(model.sampling, **settings),
        stop_ids={tokenizer.end_of_text_id, tokenizer.special_ids.get("eos")},
        seed=seed,
        with_logprobs=True,
    )
    return tokenizer.decode(completion.token_ids), completion


def whole_of(events):
    """A stream put together by choice: text, reason, tokens."""
    found = {}
    for event in events:
        for choice in event["choices"]:
            text, reasons, tokens = found.setdefault(choice["index"], ("", [], []))
            reasons.append(choice["finish_reason"])
            logprobs = choice["logprobs"]
            tokens += logprobs["token_ids"] if logprobs else []
            found[choice["index"]] = (text + choice["text"], reasons, tokens)
    return found


@pytest.fixture(scope="module", params=["plain", "text rules and digit features"])
def any_model(request):
    return tiny_model() if request.param == "plain" else tiny_model(RULES, **DIGITS)


@pytest.mark.parametrize(
    "settings", [{"temperature": 0}, {}, SETTINGS], ids=["greedy", "as it comes", "all samplers"]
)
@pytest.mark.parametrize("prompt", [PROMPT, "12 + 3", ""])
def test_the_text_is_that_of_generate(any_model, prompt, settings):
    expected, completion = written_alone(any_model, prompt, 5, max_new_tokens=40, **settings)
    app = completion_app([any_model])
    reply = asked(app, {"prompt": prompt, "seed": 5, "max_tokens": 40, **settings})
    [choice] = reply.choices
    assert (choice["text"], choice["finish_reason"]) == (expected, completion.finish_reason)
    # The token that ends a text counts, and has its place among the tokens.
    expected_ids = completion.token_ids + [0] * (completion.finish_reason == "stop")
    assert reply.json["usage"]["completion_tokens"] == len(expected_ids)
    stream = asked(app, {"prompt": prompt, "seed": 5, "max_tokens": 40, "stream": True, "logprobs": 0, **settings})
    text, reasons, tokens = whole_of(stream.events)[0]
    assert (text, tokens) == (expected, expected_ids)
    assert reasons == [None] * (len(reasons) - 1) + [completion.finish_reason]


def test_a_stream_comes_in_pieces_that_cut_no_character_and_no_rule():
    model = tiny_model(RULES)
    seeds = range(12)

    async def streams(app):
        return [await ask(app, body={"prompt": "12", "seed": s, "max_tokens": 60, "stream": True}) for s in seeds]

    app = completion_app([model], limits=Limits(telling_seconds=0))
    pieces = [[event["choices"][0]["text"] for event in reply.events] for reply in run(app, streams(app))]
    assert max(map(len, pieces)) > 20
    expected = [written_alone(model, "12", seed, max_new_tokens=60)[0] for seed in seeds]
    assert ["".join(of_one) for of_one in pieces] == expected
    # The words of this model hold runs of digits, which stand reversed among its tokens.
    assert any(len(digits) > 1 for text in expected for digits in _digit_runs(text))
    for of_one in pieces:
        assert not any(a[-1:].isdigit() and b[:1].isdigit() for a, b in itertools.pairwise(of_one))


def _digit_runs(text):
    return "".join(character if character.isdigit() else " " for character in text).split()


def test_a_seed_repeats_a_text_and_an_answer_names_its_seed(app):
    body = {"prompt": PROMPT, "max_tokens": 20, "temperature": 1.5}

    async def three():
        first = await ask(app, body=body)
        again = await ask(app, body={**body, "seed": first.json["seed"]})
        return first, again, await ask(app, body=body)

    first, again, other = run(app, three())
    assert first.text == again.text != other.text


def test_several_texts_after_several_prompts(app, model):
    prompts = [PROMPT, "12 +"]
    body = {"prompt": prompts, "n": 3, "seed": 7, "max_tokens": 10, "temperature": 1.5}
    choices = asked(app, body).choices
    expected = [
        written_alone(model, prompt, seed, max_new_tokens=10, temperature=1.5)[0]
        for prompt in prompts
        for seed in (7, 8, 9)
    ]
    assert [choice["index"] for choice in choices] == [0, 1, 2, 3, 4, 5]
    assert [choice["text"] for choice in choices] == expected
    assert len(set(expected)) == 6
    streamed = whole_of(asked(app, {**body, "stream": True}).events)
    assert [streamed[index][0] for index in range(6)] == expected


def test_a_prompt_may_come_as_ids(app, model):
    ids = ids_of(model, PROMPT)
    bodies = [{"prompt": prompt, "seed": 1, "max_tokens": 8} for prompt in (PROMPT, ids, [PROMPT], [ids])]
    texts = {asked(app, body).text for body in bodies}
    assert texts == {written_alone(model, PROMPT, 1, max_new_tokens=8)[0]}


def test_echo_tells_how_likely_a_text_is(app, model):
    text = "The dogs sat on the mat, 12 of them"
    body = {"prompt": text[:20], "max_tokens": 0, "echo": True, "logprobs": 2}
    [choice] = asked(app, body).choices
    ids = ids_of(model, text[:20])
    logprobs = choice["logprobs"]
    assert (choice["text"], choice["finish_reason"]) == (text[:20], "length")
    assert logprobs["token_ids"] == ids
    assert logprobs["token_logprobs"][0] is logprobs["top_logprobs"][0] is None
    assert logprobs["token_logprobs"][1:] == pytest.approx(token_log_probabilities(model.decoder, ids)[1:], abs=1e-5)
    for token, own, top in zip(
        *(logprobs[key][1:] for key in ("tokens", "token_logprobs", "top_logprobs")), strict=True
    ):
        assert top[token] == own <= max(top.values())
        assert 2 <= len(top) <= 3
        assert list(top.values())[:2] == sorted(top.values(), reverse=True)[:2]
    assert "".join(logprobs["tokens"]) == text[:20]
    assert logprobs["text_offset"] == [len("".join(logprobs["tokens"][:at])) for at in range(len(ids))]


def test_echo_and_a_text_come_as_one(app, model):
    expected, completion = written_alone(model, PROMPT, 3, max_new_tokens=6)
    body = {"prompt": PROMPT, "max_tokens": 6, "echo": True, "logprobs": 0, "seed": 3, "n": 2}
    for reply in (asked(app, body).choices, _choices_of_stream(asked(app, {**body, "stream": True}))):
        assert reply[0]["text"] == PROMPT + expected
        assert reply[0]["token_ids"] == ids_of(model, PROMPT) + completion.token_ids
        assert reply[1]["text"].startswith(PROMPT)
        values = reply[0]["token_logprobs"][-6:]
        assert values == pytest.approx(completion.logprobs, abs=1e-5)


def _choices_of_stream(reply):
    """As the choices of a whole answer, as far as the test above reads them."""
    found = [{"text": "", "token_ids": [], "token_logprobs": []} for _ in range(2)]
    for event in reply.events:
        [choice] = event["choices"]
        into = found[choice["index"]]
        into["text"] += choice["text"]
        into["token_ids"] += choice["logprobs"]["token_ids"]
        into["token_logprobs"] += choice["logprobs"]["token_logprobs"]
    return found


@pytest.fixture(autouse=True)
def flat_choices(monkeypatch):
    """Whole answers, too, with what belongs to a choice directly in it."""
    from .client import Reply

    plain = Reply.choices.fget

    def choices(self):
        return [{**choice, **(choice["logprobs"] or {})} for choice in plain(self)]

    monkeypatch.setattr(Reply, "choices", property(choices))


def test_logprobs_are_those_of_the_model_whatever_the_settings(app, model):
    settings = {"temperature": 0.5, "top_k": 3, "repetition_penalty": 1.3}
    _, completion = written_alone(model, PROMPT, 2, max_new_tokens=6, **settings)
    [choice] = asked(app, {"prompt": PROMPT, "seed": 2, "max_tokens": 6, "logprobs": 1, **settings}).choices
    assert choice["token_logprobs"] == pytest.approx(completion.logprobs, abs=1e-5)
    assert all(math.fsum(map(math.exp, top.values())) <= 1 + 1e-6 for top in choice["top_logprobs"])


@pytest.mark.parametrize("kind", [PLAIN, RULES], ids=["plain", "text rules"])
def test_a_stop_string_ends_a_text_wherever_it_is_cut(kind):
    model = tiny_model(kind)
    app = completion_app([model])
    text, _ = written_alone(model, PROMPT, 4, max_new_tokens=40)
    assert len(text) > 30

    async def all_of_them():
        found = []
        for start in range(3, len(text) - 4, 3):
            stop = text[start : start + 4]
            body = {"prompt": PROMPT, "seed": 4, "max_tokens": 40, "stop": [stop, "never in it"], "logprobs": 0}
            whole, stream = await ask(app, body=body), await ask(app, body={**body, "stream": True})
            found.append((text[: text.index(stop)], whole.choices[0], whole_of(stream.events)[0]))
        return found

    for expected, whole, (streamed, reasons, tokens) in run(app, all_of_them()):
        assert (whole["text"], whole["finish_reason"]) == (expected, "stop")
        assert (streamed, reasons[-1]) == (expected, "stop")
        assert tokens == whole["token_ids"]
        assert all(offset < max(1, len(expected)) for offset in whole["text_offset"])


def test_a_bias_bans_and_forces_tokens(app, model):
    greedy = {"prompt": PROMPT, "temperature": 0, "max_tokens": 6, "logprobs": 0}
    [free] = asked(app, greedy).choices
    banned = {str(token_id): -100 for token_id in free["token_ids"]}
    [other] = asked(app, {**greedy, "logit_bias": banned}).choices
    assert not set(other["token_ids"]) & set(free["token_ids"])
    [forced] = asked(app, {**greedy, "logit_bias": {"77": 100}}).choices
    assert forced["token_ids"] == [77] * 6


def test_penalties_count_what_was_written(app, model):
    greedy = {"prompt": PROMPT, "temperature": 0, "max_tokens": 12, "logprobs": 0, "logit_bias": {"77": 3}}
    [forced] = asked(app, greedy).choices
    [varied] = asked(app, {**greedy, "frequency_penalty": 2, "presence_penalty": 2}).choices
    repeated = [len(choice["token_ids"]) - len(set(choice["token_ids"])) for choice in (forced, varied)]
    assert repeated[1] < repeated[0]


def test_what_is_not_given_is_what_the_makers_recommend(model):
    advised = replace(model, sampling=SamplingSettings(temperature=0, repetition_penalty=1.4, max_new_tokens=9))
    expected, _ = written_alone(advised, PROMPT, 0)
    assert asked(completion_app([advised]), {"prompt": PROMPT}).text == expected


def test_a_preset_stands_for_the_advice_of_a_card(app, model):
    advice = load_recipe("ant-5m").sampling
    expected, _ = written_alone(replace(model, sampling=advice), PROMPT, 0, temperature=0.9)
    body = {"prompt": PROMPT, "preset": "ant-5m", "temperature": 0.9, "seed": 0}
    assert asked(app, body).text == expected


def test_a_model_of_others_is_served_too(tmp_path):
    """Read by transformers, without keys and values, and with a tokenizer that does not say what its tokens hold."""
    other = open_model(write_model(tmp_path / "other"))
    settings = {"temperature": 1.2, "repetition_penalty": 1.1, "max_new_tokens": 12}
    expected, completion = written_alone(other, PROMPT, 3, **settings)
    body = {"prompt": PROMPT, "seed": 3, "max_tokens": 12, "temperature": 1.2, "repetition_penalty": 1.1}
    app = completion_app([other])
    [choice] = asked(app, {**body, "logprobs": 2, "echo": True}).choices
    assert choice["text"] == PROMPT + expected
    assert choice["token_logprobs"][-len(completion.token_ids) :] == pytest.approx(completion.logprobs, abs=1e-4)
    assert whole_of(asked(app, {**body, "stream": True}).events)[0][0] == expected


def test_a_text_may_outgrow_the_context(app, model):
    expected, _ = written_alone(model, PROMPT, 6, max_new_tokens=3 * CONTEXT)
    assert asked(app, {"prompt": PROMPT, "seed": 6, "max_tokens": 3 * CONTEXT}).text == expected


LONG = list(range(10, 10 + CONTEXT + 9))


def test_a_prompt_longer_than_the_context_is_refused_or_cut_as_asked(app, model):
    body = {"prompt": LONG, "max_tokens": 5, "seed": 1}
    refused = asked(app, body)
    assert refused.status == 400
    assert refused.message == (
        f"the prompt has {len(LONG)} tokens, but {CONTEXT} is the most that this model reads; shorten it, or send "
        '"truncate": true to keep its end'
    )
    expected, _ = written_alone(model, LONG[-CONTEXT:], 1, max_new_tokens=5)
    assert asked(app, {**body, "truncate": True}).text == expected


def test_a_text_that_is_scored_may_have_a_token_more_because_its_last_is_not_read(app, model):
    ids = LONG[: CONTEXT + 1]
    body = {"prompt": ids, "max_tokens": 1, "seed": 1, "echo": True, "logprobs": 0}
    [choice] = asked(app, body).choices
    with torch.no_grad():
        rows_TV = model.decoder(torch.tensor([ids[:-1]]))[0].log_softmax(dim=-1)
    expected = [float(rows_TV[at, token]) for at, token in enumerate(ids[1:])]
    assert choice["token_logprobs"][1:-1] == pytest.approx(expected, abs=1e-5)
    _, completion = written_alone(model, ids, 1, max_new_tokens=1)
    assert choice["token_ids"] == ids + completion.token_ids
    assert asked(app, {**body, "prompt": LONG[: CONTEXT + 2]}).status == 400


def test_a_longer_window_for_scores_is_that_of_the_model(model):
    wide = completion_app([replace(model, max_length=CONTEXT + 6)])
    body = {"prompt": LONG[: CONTEXT + 7], "max_tokens": 0, "echo": True, "logprobs": 0}
    assert len(asked(wide, body).choices[0]["token_logprobs"]) == CONTEXT + 7
    assert asked(wide, {**body, "prompt": LONG[: CONTEXT + 8]}).status == 400


def test_usage_is_told_at_the_end_of_a_stream_if_asked(app, model):
    body = {"prompt": PROMPT, "max_tokens": 4, "seed": 0, "stream": True, "stream_options": {"include_usage": True}}
    last = asked(app, body).events[-1]
    prompt_tokens = len(ids_of(model, PROMPT))
    assert last["choices"] == []
    assert last["usage"] == {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": 4,
        "total_tokens": prompt_tokens + 4,
    }


def test_parts_of_a_character_are_named_by_their_bytes(app):
    [choice] = asked(app, {"prompt": "é", "max_tokens": 0, "echo": True, "logprobs": 0}).choices
    assert (choice["text"], choice["tokens"]) == ("é", ["bytes:\\xc3", "bytes:\\xa9"])
    assert choice["text_offset"] == [0, 0]


def test_each_model_answers_under_its_name():
    a, b = tiny_model(), tiny_model()
    randomise_otherwise(b)
    app = completion_app([a, b])

    async def both():
        body = {"prompt": PROMPT, "temperature": 0, "max_tokens": 8}
        names = [entry["id"] for entry in (await ask(app, "GET", "/v1/models")).json["data"]]
        return names, [await ask(app, body={**body, "model": name}) for name in [*names, "gpt"]]

    names, replies = run(app, both())
    assert names == ["tiny", "tiny-2"]
    greedy = [written_alone(model, PROMPT, 0, temperature=0, max_new_tokens=8)[0] for model in (a, b)]
    assert [reply.text for reply in replies[:2]] == greedy
    assert greedy[0] != greedy[1]
    assert [reply.json["model"] for reply in replies[:2]] == names
    assert (replies[2].status, replies[2].message) == (404, "'gpt' is not served here; there is tiny, tiny-2")


@torch.no_grad()
def randomise_otherwise(model):
    randomise(model.decoder)
    model.decoder.embed_tokens.weight.copy_(model.decoder.embed_tokens.weight.flip(0))


def test_a_diverged_model_is_named_as_such(model):
    broken = tiny_model()
    torch.nn.init.constant_(broken.decoder.norm.weight, math.nan)
    app = completion_app([broken])

    async def three_ways():
        body = {"prompt": PROMPT, "max_tokens": 2}
        echo = {"prompt": PROMPT, "max_tokens": 0, "echo": True, "logprobs": 0}
        return [await ask(app, body=body), await ask(app, body=echo), await ask(app, body={**body, "stream": True})]

    whole, echo, stream = run(app, three_ways())
    assert (whole.status, echo.status, stream.status) == (500, 500, 200)
    assert "NaN" in whole.message
    assert "NaN" in echo.message
    assert "NaN" in stream.events[-1]["error"]["message"]


def test_tokens_of_a_text_and_back(app, model):
    async def all_ways():
        tokens = await ask(app, path="/tokenize", body={"prompt": "é 12", "add_special_tokens": False})
        control = await ask(app, path="/tokenize", body={"prompt": "<|endoftext|>"})
        spelt = await ask(app, path="/tokenize", body={"prompt": "<|endoftext|> "})
        back = await ask(app, path="/detokenize", body={"tokens": tokens.json["tokens"]})
        return tokens.json, control.json, spelt.json, back.json, (await ask(app, "GET", "/tokenizer_info")).json

    tokens, control, spelt, back, about = run(app, all_ways())
    ids = model.tokenizer.encode("é 12")
    assert tokens == {"tokens": ids, "count": len(ids), "max_model_len": CONTEXT}
    assert back == {"prompt": "é 12"}
    assert about["eos_token"] == "<|endoftext|>"
    assert control["tokens"] == [model.tokenizer.end_of_text_id]
    assert spelt["tokens"] == model.tokenizer.encode("<|endoftext|> ")


def test_the_models_say_what_they_are(app, model):
    [entry] = run(app, ask(app, "GET", "/v1/models")).json["data"]
    assert (entry["id"], entry["max_model_len"], entry["vocab_size"]) == ("tiny", CONTEXT, VOCAB_SIZE)
    assert run(app, ask(app, "GET", "/v1/models/tiny")).json == entry
    assert run(app, ask(app, "GET", "/v1/models/other")).status == 404


def test_greedy_is_the_likeliest_after_the_penalties(app, model):
    """A check by another way than ``complete``: the first token is the largest of the processed logits."""
    ids_1T = torch.tensor([ids_of(model, PROMPT)])
    settings = SamplingSettings(temperature=0, repetition_penalty=3.0)
    with torch.no_grad():
        best = int(processed_logits(model.decoder(ids_1T)[:, -1], ids_1T, settings).argmax())
    body = {"prompt": PROMPT, "temperature": 0, "repetition_penalty": 3.0, "max_tokens": 1, "logprobs": 0}
    assert asked(app, body).choices[0]["token_ids"] == [best]
