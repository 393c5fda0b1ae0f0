"""Models whose scores are known beforehand: each defect of scoring that is feared would make one of them move."""

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import CheckFailed
from smidgen.evaluation import log_likelihood
from smidgen.evaluation.conditions import Conditions
from smidgen.evaluation.evaluate import evaluate
from smidgen.evaluation.named_tasks import score_task
from smidgen.evaluation.scoring.scorer import Layout, scorer_for
from smidgen.evaluation.tasks.item import Choice, Completion, Document, Task
from smidgen.lab.suspicion import suspicious_scores
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.training import train_tokenizer

# Letters that the tokenizer's text lacks, so that each is a token. After the last comes the first.
LETTERS = "ABCDEFGHIJKLMNOP"
TEXT = ["the farmers watch the small dogs\n", "12 + 34 = 46\n"]
ITEMS = 301
VOCAB_SIZE = 283
LABEL_IS_FIRST = [0] * ITEMS
METRICS = ("acc", "acc_norm", "acc_bytes")


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXT * 3, TokenizerSettings(), VOCAB_SIZE)


@pytest.fixture
def model_of(tokenizer):
    """An untrained model after a change of its weights."""

    def make(change=lambda decoder: None, **options):
        config = ModelConfig(
            vocab_size=VOCAB_SIZE,
            num_layers=2,
            num_heads=3,
            num_kv_heads=1,
            head_dim=8,
            intermediate_size=40,
            context_length=50,
            initializer_range=0.2,
            **{"hidden_size": 24, **options},
        )
        decoder = Decoder(config).eval()
        initialise(decoder, 3)
        with torch.no_grad():
            change(decoder)
        return OpenModel("canary", Path("canary"), decoder, tokenizer, "0" * 64)

    return make


@pytest.fixture
def untrained(model_of):
    return model_of()


@pytest.fixture
def constant(model_of):
    """All weights zero: every token is as probable as every other, and so is every ending of the same length."""
    return model_of(lambda decoder: [parameter.zero_() for parameter in decoder.parameters()])


@pytest.fixture
def broken(model_of):
    return model_of(lambda decoder: decoder.norm.weight.fill_(math.nan))


@pytest.fixture
def oracle(model_of, tokenizer):
    """Knows which letter follows: each token has a direction of its own, and its successor reads that direction."""

    def teach(decoder):
        for parameter in decoder.parameters():
            parameter.zero_()
        decoder.norm.weight.fill_(1.0)
        decoder.embed_tokens.weight.copy_(torch.eye(VOCAB_SIZE, 285))
        for letter, following in zip(LETTERS, LETTERS[1:] + LETTERS[0], strict=True):
            (now,), (then,) = tokenizer.encode(letter), tokenizer.encode(following)
            decoder.lm_head.weight[then, now] = 3.0

    return model_of(teach, hidden_size=285, tie_embeddings=False)


def sequence(start, length):
    return "".join(LETTERS[(start + place) % len(LETTERS)] for place in range(length))


def choices(labels):
    """The next letters in their order, and wrong endings of the same letters; four endings or two."""
    draw = random.Random(7)
    items = []
    for number, label in enumerate(labels):
        length = draw.randint(2, 9)
        start, count = draw.randrange(len(LETTERS)), 4 if number % 3 else 2
        right = sequence(start + length, draw.randint(3, 5))
        wrong = set()
        while len(wrong) < count - 1:
            shuffled = "".join(draw.sample(right, len(right)))
            wrong |= {shuffled} - {right}
        endings = sorted(wrong)
        endings.insert(label % count, right)
        items.append(choice(str(number), sequence(start, length), endings, label % count))
    return items


def choice(key, context, endings, label):
    texts = tuple(endings)
    return Choice(key=key, contexts=(context,), endings=texts, texts=texts, labels=(label,))


def task(items, metrics=METRICS):
    shares = [1 / len(item.endings) for item in items if isinstance(item, Choice)]
    baselines = {"chance": math.fsum(shares) / len(shares)} if shares else {}
    return Task(name="canary", title="Canary", metrics=metrics, items=items, files={}, baselines=baselines)


def scored(model, items, **conditions):
    return score_task(model, task(items), Conditions(**conditions))


# A model that knows nothing


@pytest.mark.parametrize("precision", ["exact", "fast"])
@pytest.mark.parametrize("labels", [LABEL_IS_FIRST, range(ITEMS)], ids=["always the first", "any"])
def test_a_constant_model_scores_exactly_chance_and_every_item_is_a_tie(constant, precision, labels):
    outcome = scored(constant, choices(labels), precision=precision)
    for metric in METRICS:
        score = outcome.scores["canary"][metric]
        assert score.value == pytest.approx(outcome.baselines["canary"]["chance"], abs=1e-12), metric
        assert (score.ties, score.n) == (ITEMS, ITEMS), metric
    if precision == "fast":
        assert outcome.settings["canary"]["items_by_precision"]["float32"] == ITEMS, "only float32 decides a tie"


def test_a_constant_model_scores_chance_on_a_task_file_too(constant, tmp_path):
    rows = [{"q": item.contexts[0], "a": item.endings, "right": item.labels[0]} for item in choices(LABEL_IS_FIRST)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    description = 'name = "t"\nfile = "t.jsonl"\ncontext = "{q}"\nendings = "a"\nlabel = "right"\ndelimiter = ""\n'
    (tmp_path / "t.toml").write_text(description)
    record = evaluate(constant, [str(tmp_path / "t.toml")])
    score = record["scores"]["t"]["acc"]
    assert score["value"] == pytest.approx(record["baselines"]["t"]["chance"], abs=1e-12)
    assert (score["ties"], score["n"]) == (ITEMS, ITEMS)


def test_a_uniform_model_is_as_perplexed_as_its_vocabulary_is_large(constant, tokenizer):
    """Log-probabilities are float32: ln 283 is off by at most 2.4e-7, and nats are kept to six decimals."""
    texts = ["the farmers watch 12 dogs", "small dogs\n\nwatch ÄÖ the " + "ABC " * 70]
    items = [Document(key=str(number), text=text, original=text) for number, text in enumerate(texts)]
    scores = scored(constant, items).scores["canary"]
    tokens = sum(len(tokenizer.encode(text)) for text in texts)
    text_bytes = sum(len(text.encode()) for text in texts)
    # Words as the harness splits them, with the empty string after the last blank.
    words = 5 + 5 + 70 + 1
    assert len({tokens, text_bytes, words}) == 3
    assert scores["token_perplexity"].value == pytest.approx(VOCAB_SIZE, rel=1e-6)
    assert scores["byte_perplexity"].value == pytest.approx(VOCAB_SIZE ** (tokens / text_bytes), rel=1e-6)
    assert scores["bits_per_byte"].value == pytest.approx(math.log2(VOCAB_SIZE) * tokens / text_bytes, rel=1e-6)
    # An error of 2.4e-7 for each of 4 tokens of a word.
    assert scores["word_perplexity"].value == pytest.approx(VOCAB_SIZE ** (tokens / words), rel=4e-6)


def test_a_uniform_model_is_as_perplexed_by_a_completion(constant):
    items = [
        Completion(key=str(start), context=sequence(start, 4), continuation=sequence(start, 3)) for start in (0, 5)
    ]
    assert scored(constant, items).scores["canary"]["perplexity"].value == pytest.approx(VOCAB_SIZE**3, rel=3e-6)


# A model that knows everything


@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_an_oracle_is_always_right_and_such_a_score_is_doubted(oracle, precision):
    outcome = scored(oracle, choices(range(ITEMS)), precision=precision)
    metrics = {metric: score.as_dict() for metric, score in outcome.scores["canary"].items()}
    assert {metric: (score["value"], score["ties"]) for metric, score in metrics.items()} == dict.fromkeys(
        METRICS, (1.0, 0)
    )
    warnings = list(suspicious_scores({"scores": {"canary": metrics}}))
    assert len(warnings) == len(METRICS)
    assert "canary, acc: exactly 100% on 301 items" in warnings[0]


def test_a_perfect_score_on_200_items_is_not_doubted_yet(oracle):
    outcome = scored(oracle, choices(range(200)))
    metrics = {metric: score.as_dict() for metric, score in outcome.scores["canary"].items()}
    assert metrics["acc"]["value"] == 1.0
    assert list(suspicious_scores({"scores": {"canary": metrics}})) == []


def test_an_oracle_completes_everything_without_surprise(oracle):
    items = [Completion(key=str(n), context=sequence(n, 4), continuation=sequence(n + 4, 5)) for n in range(16)]
    scores = scored(oracle, items).scores["canary"]
    assert scores["acc"].value == 1.0
    assert scores["perplexity"].value == pytest.approx(1.0, abs=1e-3)


def test_an_oracle_completes_nothing_else(oracle):
    items = [Completion(key=str(n), context=sequence(n, 4), continuation=sequence(n + 5, 5)) for n in range(16)]
    assert scored(oracle, items).scores["canary"]["acc"].value == 0.0


def test_shuffled_labels_score_chance(oracle):
    """The same model and items as above, so that nothing but the labels can tell."""
    draw = random.Random(11)
    items = [
        replace(item, labels=(draw.randrange(len(item.endings)),))
        for item in choices(range(ITEMS))
        if len(item.endings) == 4
    ]
    for metric, score in scored(oracle, items).scores["canary"].items():
        assert score.low < 0.25 < score.high, metric
        assert score.high - score.low < 0.15


# A model that is broken


@pytest.mark.parametrize(
    ("items", "count"),
    [
        (choices(range(5)), sum(len(item.endings) for item in choices(range(5)))),
        ([Completion(key=str(n), context="AB", continuation="CD") for n in range(7)], 7),
        ([Document(key=str(n), text="the dogs", original="the dogs") for n in range(3)], 3),
    ],
    ids=["choices", "completions", "documents"],
)
def test_a_model_that_returns_nan_is_refused_with_the_count(broken, items, count):
    with pytest.raises(CheckFailed, match=rf"^canary: the model returned NaN for {count} of {count} log-prob"):
        scored(broken, items)


def test_bfloat16_does_not_hide_nan(broken):
    items = choices(range(ITEMS))
    count = sum(len(item.endings) for item in items)
    with pytest.raises(CheckFailed, match=f"NaN for {count:,} of {count:,}"):
        scored(broken, items, precision="fast")


# What must not matter


@pytest.fixture
def expected(untrained):
    outcome = scored(untrained, choices(range(ITEMS)))
    assert 0.1 < outcome.scores["canary"]["acc"].value < 0.6
    return outcome


def assert_same(outcome, expected, nats=1e-5):
    found = {item["item"]: item for item in outcome.items}
    assert found.keys() == {item["item"] for item in expected.items}
    for item in expected.items:
        mine = found[item["item"]]
        assert mine["log_probabilities"] == pytest.approx(item["log_probabilities"], abs=nats)
        assert mine["choice"] == item["choice"]
        assert [mine[metric] for metric in METRICS] == [item[metric] for metric in METRICS]


def test_the_order_of_items_changes_no_choice(untrained, expected):
    items = choices(range(ITEMS))
    random.Random(2).shuffle(items)
    assert_same(scored(untrained, items), expected)


@pytest.mark.parametrize(("block_rows", "chunk_rows"), [(1, 77), (13, 1), (50, 400), (10_000, 10_000)])
def test_the_size_of_blocks_and_chunks_changes_no_choice(untrained, expected, block_rows, chunk_rows, monkeypatch):
    layout = Layout(block_rows=block_rows, chunk_rows=chunk_rows)
    monkeypatch.setattr(
        log_likelihood, "scorer_for", lambda *args, **options: scorer_for(*args, **options)._replace(layout=layout)
    )
    assert_same(scored(untrained, choices(range(ITEMS))), expected)


def test_fast_precision_changes_no_choice(untrained):
    """On so many items that bfloat16 by itself would choose otherwise in some."""
    items = choices(range(3000))
    assert_same(scored(untrained, items, precision="fast"), scored(untrained, items), nats=0.3)


@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_changes_no_choice(untrained, expected, threads):
    torch.set_num_threads(threads)
    assert_same(scored(untrained, choices(range(ITEMS))), expected)


@pytest.mark.parametrize("max_length", [14, 49, 51, 3000])
def test_a_window_that_is_larger_than_needed_changes_no_choice(untrained, expected, max_length):
    assert_same(scored(replace(untrained, max_length=max_length), choices(range(ITEMS))), expected)


def test_a_window_that_is_too_small_does(untrained, expected):
    """So that the test above can fail."""
    outcome = scored(replace(untrained, max_length=6), choices(range(ITEMS)))
    assert outcome.scores["canary"]["acc"].truncated > 50
    assert [item["choice"] for item in outcome.items] != [item["choice"] for item in expected.items]
