import json
import threading
from dataclasses import replace

import pytest
import torch
from starlette.testclient import TestClient

from smidgen.checkpoints.foreign_tokenizer import ForeignTokenizer
from smidgen.export.web.browser import Browser, find_browser
from smidgen.generation.decoding import complete
from smidgen.playground.app import playground_app
from smidgen.recipes.sampling import SamplingSettings
from smidgen.serving.server import listen, serve, url_of

from ..export.tiny import CONTEXT, DIGITS, RULES, tiny_model

SETTINGS = {"temperature": 0.8, "top_k": 20, "max_new_tokens": 15}
COMPLETE = "/playground/0/complete"


class PlainTokenizer(ForeignTokenizer):
    """As others make them, of the bytes of ASCII."""

    def __init__(self):
        self.special_ids = {"end_of_text": 0, "bos": 0}
        self.vocab_size = 128
        self.fingerprint = "plain"

    def encode(self, text):
        return [0, *text.encode("ascii")]

    def pieces(self, token_ids):
        return [chr(token_id) for token_id in token_ids]


@pytest.fixture(scope="module")
def models():
    foreign = replace(tiny_model(), name="foreign", tokenizer=PlainTokenizer())
    return [tiny_model(RULES, xsa=True, **DIGITS), replace(tiny_model(), name="other"), foreign]


@pytest.fixture(scope="module")
def client(models):
    with TestClient(playground_app(models), base_url="http://127.0.0.1") as client:
        yield client


def events(answer):
    assert answer.status_code == 200, answer.text
    parts = answer.text.strip().split("\n\n")
    assert parts.pop() == "data: [DONE]"
    return [json.loads(part.removeprefix("data: ")) for part in parts]


def test_the_page_is_that_of_the_web_export(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.text
    assert client.get("/page/app.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/page/style.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    "path", ["/page/nothing.js", "/page/..%2ffolder.py", "/page/%2fetc%2fpasswd", "/model/model.json"]
)
def test_nothing_else_is_handed_out(client, path):
    assert client.get(path).status_code == 404


def test_every_model_has_a_description_without_weights(client, models):
    listed = client.get("/models.json").json()
    assert listed["place"] == "server"
    described = [client.get(f"/{entry['address']}").json() for entry in listed["models"]]
    assert [one["name"] for one in described] == ["tiny", "other", "foreign"]
    assert {one["weights"] for one in described} == {None}
    assert "merges" in described[0]["tokenizer"]
    assert described[2]["tokenizer"]["pieces"][65] == "A"
    answer = client.get("/playground/3/model.json")
    assert answer.status_code == 404
    assert "there are 3 models" in answer.json()["error"]["message"]


@pytest.mark.parametrize("number", [0, 1])
def test_a_text_is_written_as_generate_writes_it(client, models, number):
    model = models[number]
    asked = {"text": "The cats", "settings": SETTINGS, "seed": 4}
    begin, *tokens, end = events(client.post(f"/playground/{number}/complete", json=asked))
    ids = model.tokenizer.encode("The cats")
    expected = complete(
        model.decoder, ids, SamplingSettings(**SETTINGS), seed=4, stop_ids={model.tokenizer.end_of_text_id}
    )
    assert begin == {"kind": "begin", "ids": ids, "unseen": 0}
    assert [event["token"]["id"] for event in tokens] == expected.token_ids
    assert end == {"kind": "end", "reason": expected.finish_reason}


def test_a_text_goes_on_after_its_ids(client, models):
    ids = [7] * (CONTEXT + 3)
    begin, *tokens, _ = events(client.post(COMPLETE, json={"ids": ids, "settings": {"max_new_tokens": 3}}))
    assert begin["unseen"] == 3
    assert len(tokens) == 3


def test_an_empty_prompt_begins_a_text(client):
    begin, *tokens, _ = events(client.post(COMPLETE, json={"text": "", "settings": {"max_new_tokens": 2}}))
    assert begin["ids"] == []
    assert tokens


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"settings": {}}, "either the text or its ids"),
        ({"text": "a", "ids": [1], "settings": {}}, "either the text or its ids"),
        ({"ids": [1, 999], "settings": {}}, "token ids below 290"),
        ({"ids": [1, -1], "settings": {}}, "token ids below 290"),
        ({"ids": [True], "settings": {}}, "token ids below 290"),
        ({"text": "a", "settings": {"temprature": 1}}, "an object of"),
        ({"text": "a", "settings": {"top_p": 2}}, "top_p=2 must be"),
        ({"text": "a", "settings": {"top_p": "1"}}, "top_p='1' must be"),
        ({"text": "a", "settings": {"max_new_tokens": 10**6}}, "at most 8192"),
        ({"text": "a", "settings": {}, "seed": -1}, "a whole number from 0"),
        ({"text": "a", "settings": {}, "sead": 1}, "did you mean seed"),
        ({"text": "a\ud800", "settings": {}}, "surrogate"),
    ],
)
def test_what_cannot_be_written_is_refused_with_a_sentence(client, asked, sentence):
    answer = client.post(COMPLETE, content=json.dumps(asked), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["message"]


def test_settings_that_leave_no_token_are_told_on_the_way(client):
    asked = {"ids": list(range(290)), "settings": {"no_repeat_ngram_size": 1}}
    begin, told = events(client.post(COMPLETE, json=asked))
    assert begin["kind"] == "begin"
    assert "no token is left to choose" in told["error"]["message"]


def test_likelihoods_and_attention_of_a_text(client, models):
    ids = models[0].tokenizer.encode("The cats sat")
    told = client.post("/playground/0/inspect", json={"ids": ids}).json()["tokens"]
    assert [said and said["id"] for said in told] == [None, *ids[1:]]
    found = client.post("/playground/0/attend", json={"ids": ids}).json()
    assert torch.tensor(found["weights"]).shape == (2, 6, len(ids))
    assert client.post("/playground/0/attend", json={"ids": []}).status_code == 400


def test_pages_of_other_origins_may_not_ask(client):
    asked = {"text": "a", "settings": {}}
    answer = client.post(COMPLETE, json=asked, headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 403


@pytest.fixture
def address(models):
    stopped = threading.Event()
    with listen("127.0.0.1", 0) as listening:
        url = url_of(listening)
        arguments = (playground_app(models), listening, stopped.is_set)
        thread = threading.Thread(target=serve, args=arguments, kwargs={"grace_seconds": 1}, daemon=True)
        thread.start()
        yield url
        stopped.set()
        thread.join(timeout=30)


@pytest.mark.skipif(find_browser() is None, reason="needs Chromium or Chrome")
def test_the_page_compares_models_side_by_side(address, models):
    with Browser(find_browser()) as browser:
        browser.open(f"{address}/#prompt=The+cats&temperature=0&max_new_tokens=20")
        browser.wait_until("document.documentElement.dataset.ready || document.querySelector('.trouble')")
        assert browser.evaluate("document.querySelector('.trouble')?.textContent") is None
        browser.evaluate("document.getElementById('write').click()")
        all_told = "[...document.querySelectorAll('.status')].every((one) => one.textContent.includes('seed'))"
        browser.wait_until(all_told)
        texts = browser.evaluate("[...document.querySelectorAll('.output')].map((one) => one.textContent)")
        greedy = SamplingSettings(temperature=0, max_new_tokens=20)
        for text, model in zip(texts[:2], models[:2], strict=True):
            ids = model.tokenizer.encode("The cats")
            stop_ids = {model.tokenizer.end_of_text_id}
            written = complete(model.decoder, ids, greedy, stop_ids=stop_ids).token_ids
            assert text == model.tokenizer.decode([*ids, *written])
        assert texts[2].startswith("The cats")
        browser.evaluate("document.querySelectorAll('.output')[1].querySelector('.token').click()")
        browser.wait_until("!document.getElementById('why').hidden")
        browser.evaluate("document.querySelectorAll('.attention')[1].open = true")
        browser.wait_until("document.querySelectorAll('.attention')[1].querySelectorAll('.head').length === 12")
        browser.evaluate("document.getElementById('prompt').value = ''")
        browser.evaluate("document.getElementById('write').click()")
        browser.wait_until(all_told)
        assert browser.errors == []
