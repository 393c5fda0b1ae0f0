from collections import Counter
from pathlib import Path

import pytest

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.arithmetic import value_of
from smidgen.errors import Interrupted
from smidgen.evaluation import arithmetic_task
from smidgen.evaluation.arithmetic_task import exact_matches, score_arithmark, score_written
from smidgen.evaluation.log_likelihood import token_log_probabilities
from smidgen.evaluation.tasks.arithmark_generated import generated_arithmark
from smidgen.evaluation.tasks.arithmetic_written import written_arithmetic
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.training import train_tokenizer

TEXT = ["12 + 34 = 46\n(7 - 3) * 30 = 120\n", "There are 60 shells and 7 rubber bands in a box.\n"]


@pytest.fixture(scope="module")
def model():
    config = ModelConfig(
        vocab_size=290,
        hidden_size=24,
        num_layers=2,
        num_heads=3,
        num_kv_heads=1,
        intermediate_size=40,
        context_length=150,
        initializer_range=0.2,
    )
    decoder = Decoder(config).eval()
    initialise(decoder, 3)
    tokenizer = train_tokenizer(TEXT * 3, TokenizerSettings(), config.vocab_size)
    return OpenModel("tiny", Path("tiny"), decoder, tokenizer, "0" * 64)


@pytest.fixture
def write(model, monkeypatch):
    """Make the model write these texts, one for each prompt."""

    def install(*texts):
        def greedy_batch(decoder, prompts, *, max_new_tokens, stop_ids):
            assert len(prompts) == len(texts)
            return [model.tokenizer.encode(text)[:max_new_tokens] for text in texts]

        monkeypatch.setattr(arithmetic_task, "greedy_batch", greedy_batch)

    return install


def test_equations_are_chosen_and_written_in_all_and_by_what_they_ask_for(model):
    task = generated_arithmark("arithmark2-generated", limit=20, seed=5)
    outcome = score_arithmark(model, task)
    name = "arithmark2-generated"
    counts = {part: metrics["exact_match"].n for part, metrics in outcome.scores.items()}
    assert counts == {name: 20} | Counter(f"{name}/{group}" for item in task.items for group in item.groups)
    assert [counts[f"{name}/{group}"] for group in ("1 operator", "2 operators", "3 operators")] == [10, 6, 4]
    assert {f"{name}/with *", f"{name}/numbers of 2 digits", f"{name}/no carries", f"{name}/parentheses"} <= set(
        counts
    )
    assert all(set(metrics) == {"acc", "exact_match"} for metrics in outcome.scores.values())
    assert outcome.scores[name]["acc"].value == sum(item["acc"] for item in outcome.items) / 20
    assert outcome.baselines[name]["never-decimal"] == 0.25


def test_each_item_is_recorded_under_its_expression(model):
    task = generated_arithmark("arithmark2-generated", limit=6, seed=5)
    outcome = score_arithmark(model, task)
    assert [(item["task"], item["item"]) for item in outcome.items] == [(task.name, item.key) for item in task.items]
    for record in outcome.items:
        assert {"labels", "choice", "log_probabilities", "truncated", "acc", "exact_match"} <= record.keys()
        assert record["acc"] == (record["choice"] in record["labels"])


def test_exact_match_wants_the_number_alone_on_its_line(model, write):
    items = generated_arithmark("arithmark2-generated", limit=5, seed=2).items
    right = [item.texts[item.labels[0]] for item in items]
    write(f" {right[0]}\n12 + 3", right[1], f" {right[2]}0", f" {right[3]} +", f" 7\n{right[4]}")
    assert exact_matches(model, items) == [1, 1, 0, 0, 0]


def test_exact_match_is_counted_by_group(model, write):
    task = generated_arithmark("arithmark2-generated-hard", limit=10, seed=2)
    write(*(item.texts[item.labels[0]] if item.groups[0] == "3 operators" else "no" for item in task.items))
    scores = score_arithmark(model, task).scores
    for part, value in {"": 0.2, "/1 operator": 0.0, "/2 operators": 0.0, "/3 operators": 1.0}.items():
        assert scores[task.name + part]["exact_match"].value == value


def test_word_problems_are_chosen_by_the_mean_per_token_and_not_written(model):
    task = generated_arithmark("arithmark3-generated", limit=17, seed=2)
    outcome = score_arithmark(model, task)
    assert set(outcome.scores[task.name]) == {"acc_norm", "acc"}
    assert len(outcome.scores) == 18
    for record, item in zip(outcome.items, task.items, strict=True):
        tokens = [len(model.tokenizer.encode(ending)) for ending in item.endings]
        means = [value / count for value, count in zip(record["log_probabilities"], tokens, strict=True)]
        assert record["acc_norm"] == (means.index(max(means)) in item.labels)


def test_context_and_ending_are_tokenised_apart_and_their_probabilities_summed(model):
    task = generated_arithmark("arithmark2-generated", limit=3, seed=9)
    for record, item in zip(score_arithmark(model, task).items, task.items, strict=True):
        for value, (context, ending) in zip(record["log_probabilities"], item.pairs(), strict=True):
            ids, added = model.tokenizer.encode(context), model.tokenizer.encode(ending)
            expected = token_log_probabilities(model.decoder, ids + added)[len(ids) :]
            assert value == pytest.approx(sum(expected), abs=1e-4)


def test_scoring_stops_when_asked(model):
    with pytest.raises(Interrupted):
        score_arithmark(model, generated_arithmark("arithmark2-generated", limit=5), stop_requested=lambda: True)


def calculator(monkeypatch, model, wrong=()):
    """Let the model write the answer of whatever it is asked, but not of what ``wrong`` says."""

    def greedy_batch(decoder, prompts, *, max_new_tokens, stop_ids):
        contexts = [model.tokenizer.decode(ids) for ids in prompts]
        texts = [f" {value_of(context.removesuffix('=')) + (context in wrong)}\n9" for context in contexts]
        return [model.tokenizer.encode(text)[:max_new_tokens] for text in texts]

    monkeypatch.setattr(arithmetic_task, "greedy_batch", greedy_batch)


def test_written_answers_are_counted_in_all_and_by_group(model, monkeypatch):
    task = written_arithmetic("arithmetic-length", limit=3, seed=2)
    wrong = {item.context for item in task.items if item.groups[1] in ("sums of 20 digits", "products of 6 digits")}
    calculator(monkeypatch, model, wrong)
    seen = []
    outcome = score_written(model, task, on_progress=seen.append)
    scores = {part: metrics["exact_match"] for part, metrics in outcome.scores.items()}
    assert list(scores)[:3] == [task.name, f"{task.name}/sums", f"{task.name}/sums of 1 digit"]
    assert len(scores) == 1 + 3 + 46
    assert {part: score.value for part, score in scores.items() if score.value < 1} == {
        task.name: 1 - 6 / len(task.items),
        f"{task.name}/sums": 1 - 3 / 58,
        f"{task.name}/sums of 20 digits": 0.0,
        f"{task.name}/products": 1 - 3 / 18,
        f"{task.name}/products of 6 digits": 0.0,
    }
    assert seen[-1] == len(task.items)
    assert len(seen) == len({len(item.continuation) for item in task.items})


def test_written_answers_are_recorded_with_what_was_written(model, monkeypatch):
    task = written_arithmetic("arithmark2-generated-free", limit=10, seed=2)
    calculator(monkeypatch, model, wrong={task.items[4].context})
    records = score_written(model, task).items
    assert [record["item"] for record in records] == [item.key for item in task.items]
    assert [record["exact_match"] for record in records] == [1] * 4 + [0] + [1] * 5
    assert all((record["written"] == record["answer"]) == record["exact_match"] for record in records)
    assert int(records[4]["written"]) == int(records[4]["answer"]) + 1


def test_free_answers_are_those_beside_the_options(model):
    written = score_written(model, written_arithmetic("arithmark2-generated-free", limit=20, seed=5))
    chosen = score_arithmark(model, generated_arithmark("arithmark2-generated", limit=20, seed=5))
    assert [item["exact_match"] for item in written.items] == [item["exact_match"] for item in chosen.items]


def test_writing_stops_when_asked(model):
    with pytest.raises(Interrupted):
        score_written(model, written_arithmetic("arithmetic-length", limit=1), stop_requested=lambda: True)
