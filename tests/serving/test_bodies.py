"""Whatever comes as a body: an answer or one sentence, never a failure of the server."""

import asyncio
import json
import random

import pytest

from smidgen.serving.app import completion_app
from smidgen.serving.limits import Limits

from ..export.tiny import VOCAB_SIZE
from .client import JSON, ask, run

OK = {"prompt": "The", "max_tokens": 1, "seed": 0}

# Values that some field may take or not, each of which no field may fail at.
HARD = [
    None, True, False, 0, 1, -1, 2, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**400, 0.5, -0.0, 1e-320,
    1e308, "", "a", "The cats", "0", "NaN", "1e999", "\x00", "\ud800", "é", "🙂" * 50, "<|endoftext|>", "a" * 3000,
    [], [0], [1.5], ["a"], ["a", 1], [[]], [[1]], [[1], "a"], [[[1]]], [True], [None], [-1], [VOCAB_SIZE], [2**63],
    [10**400], ["\udc00"], [""], ["a"] * 300, {}, {"a": 1}, {"0": 1}, {"-1": 1}, {"٣": 1}, {"0": 10**400},
    {"1" * 5000: 1}, {"0": "a"}, {"0": None}, {"include_usage": 1}, {"include_usage": True, "x": 1},
]  # fmt: skip
FIELDS = [
    "prompt", "max_tokens", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "no_repeat_ngram_size",
    "presence_penalty", "frequency_penalty", "logit_bias", "stop", "seed", "n", "best_of", "logprobs", "echo",
    "stream", "stream_options", "suffix", "user", "model", "truncate", "preset", "unknown", "", "\ud800",
]  # fmt: skip


@pytest.fixture(scope="module")
def small_app(model):
    """Few tokens, so that a legal request costs little."""
    return completion_app([model], limits=Limits(tokens=4, choices=4, body_seconds=1))


def check(reply):
    """An answer, or an error with one sentence of bounded length."""
    assert reply.status == 200 or 400 <= reply.status < 500, reply
    if reply.status == 200:
        return
    error = reply.json["error"]
    assert 10 < len(error["message"]) < 700
    assert "\n" not in error["message"]
    assert "Traceback" not in error["message"]


def mutated(chance):
    """A legal request with some fields replaced."""
    body = dict(OK)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        body[chance.choice(FIELDS)] = chance.choice(HARD)
    return body


def damaged(chance):
    """The bytes of a request, cut, flipped, doubled or wrapped."""
    content = bytearray(json.dumps(mutated(chance)).encode())
    kind = chance.randrange(5)
    if kind == 0:
        del content[chance.randrange(len(content)) :]
    elif kind == 1:
        for _ in range(chance.randrange(1, 6)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    elif kind == 2:
        content += content[chance.randrange(len(content)) :]
    elif kind == 3:
        depth = chance.choice([10, 1_000, 100_000])
        content = bytearray(b'{"prompt": ' + b"[" * depth + b"]" * chance.choice([0, depth]) + b"}")
    return bytes(content)


async def many(app, seeds):
    statuses = []
    for seed in seeds:
        chance = random.Random(seed)
        path = chance.choice(["/v1/completions"] * 8 + ["/tokenize", "/detokenize"])
        body = damaged(chance) if chance.random() < 0.4 else mutated(chance)
        reply = await asyncio.wait_for(ask(app, path=path, body=body, parts=chance.choice([1, 3])), 60)
        check(reply)
        statuses.append(reply.status)
    # The server still answers as it did.
    reply = await ask(app, body=OK)
    return statuses, reply.status


def test_mutated_bodies_get_an_answer_or_a_sentence(small_app):
    statuses, afterwards = run(small_app, many(small_app, range(5_000)))
    assert afterwards == 200
    assert {200, 400, 404} <= set(statuses)
    assert statuses.count(200) > 100


@pytest.mark.soak
def test_many_more_mutated_bodies(small_app):
    statuses, afterwards = run(small_app, many(small_app, range(10_000, 110_000)))
    assert afterwards == 200
    assert {200, 400, 404, 413} >= set(statuses)


@pytest.mark.parametrize("field", FIELDS)
def test_every_value_in_every_field(small_app, field):
    async def all_of_them():
        return [await ask(small_app, body={**OK, field: value}) for value in HARD]

    for reply in run(small_app, all_of_them()):
        check(reply)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "the body is not JSON"),
        (b"[1]", 400, "the body must be one JSON object"),
        (b'{"prompt": "a", "temperature": NaN}', 400, "the body holds NaN, which is no JSON"),
        (b'{"prompt": "a", "temperature": 1e999}', 400, "temperature is inf, but must be 0"),
        (b'{"prompt": "a", "seed": ' + b"1" * 5000 + b"}", 400, "a number that is too long"),
        (b"\xff\xfe", 400, "the body is not UTF-8"),
        (b'{"a":' * 100_000, 413, "larger than 256 KiB"),
        (b'{"a":' * 40_000, 400, "nested too deeply"),
        ({"prompt": "a" * 2**20}, 413, "the body is larger than 256 KiB"),
        ({"prompt": "a" * 200_000}, 400, "is the most that this model reads"),
        ({}, 400, "the prompt is missing; give a string"),
        ({"prompt": []}, 400, "prompt is a list of 0, but must be a string"),
        ({"prompt": [1, VOCAB_SIZE]}, 400, f"token id {VOCAB_SIZE} is outside of this model's vocabulary"),
        ({"prompt": [10**400]}, 400, "token id an enormous number is outside"),
        ({"prompt": "\ud800"}, 400, "lone surrogate"),
        ({**OK, "seed": 2**63}, 400, f"seed is {2**63}, but must be a whole number from 0 to"),
        ({**OK, "max_tokens": -1}, 400, "max_tokens is -1, but must be a whole number from 0 to 4"),
        ({**OK, "temperature": "hot"}, 400, "temperature is 'hot', but must be 0 (greedy) or positive"),
        ({**OK, "top_p": 2}, 400, "top_p is 2, but must be between 0 and 1"),
        ({**OK, "stop": [""]}, 400, "stop is a list of 1, but must be a string or a list of up to 16 strings"),
        ({**OK, "logit_bias": {"9999": 1}}, 400, "logit_bias has '9999': 1, but must be an object"),
        ({**OK, "preset": "gpt-s-6m"}, 400, "preset 'gpt-s-6m' is no shipped recipe: did you mean gpt-s-5m?"),
        ({**OK, "suffix": "end"}, 400, "suffix: this model writes on from a prompt and cannot fill gaps"),
        ({**OK, "best_of": 3}, 400, "best_of is 3: texts are not ranked"),
        ({**OK, "n": 5}, 400, "n is 5, but must be a whole number from 1 to 4"),
        ({**OK, "prompt": ["a"] * 5}, 400, "5 prompts x n=1 are more than 4 texts at once"),
        ({**OK, "temprature": 1}, 400, "'temprature' is no field of this request; did you mean temperature?"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(small_app, body, status, message):
    reply = run(small_app, ask(small_app, body=body))
    assert (reply.status, message in reply.message) == (status, True), reply.content[:300]
    check(reply)


def test_a_field_that_is_to_blame_is_named(small_app):
    reply = run(small_app, ask(small_app, body={**OK, "top_k": -5}))
    assert reply.json["error"] == {
        "message": "top_k is -5, but must be 0 (off) or a positive whole number; 20 to 100 is usual",
        "type": "invalid_request_error",
        "param": "top_k",
        "code": None,
    }


def test_a_body_that_does_not_come_is_not_waited_for(small_app):
    async def half():
        async def receive():
            await asyncio.sleep(60)

        sent = []

        async def send(message):
            sent.append(message)

        headers = [(name.encode(), value.encode()) for name, value in JSON.items()]
        scope = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": headers, "query_string": b""}
        await small_app(scope, receive, send)
        return sent[0]["status"]

    assert run(small_app, half()) == 408


def test_who_is_ignored_makes_no_difference(small_app):
    async def both():
        return await ask(small_app, body=OK), await ask(small_app, body={**OK, "user": "somebody", "suffix": None})

    first, second = run(small_app, both())
    assert first.text == second.text
