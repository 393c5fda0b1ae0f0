"""From names of tasks to one record."""

import json

import pytest

from smidgen.checkpoints.open_model import open_model
from smidgen.errors import BadInput
from smidgen.evaluation import evaluate as evaluate_module
from smidgen.evaluation.conditions import Conditions
from smidgen.evaluation.evaluate import evaluate
from smidgen.evaluation.tasks import documents
from smidgen.evaluation.tasks.documents import EvalData, OutOfReach


@pytest.fixture(scope="module")
def model(finished_run):
    return open_model(finished_run.path)


@pytest.fixture
def folder(tmp_path):
    """Three questions of ARC, five of PIQA, a page of text."""
    arc = [
        {
            "question": f"What is {n}?",
            "choices": {"text": ["one", "a two", "three"], "label": list("ABC")},
            "answerKey": "B",
        }
        for n in range(3)
    ]
    piqa = [
        {"goal": f"open box {n}", "sol1": "by hand", "sol2": "by a very long spoon", "label": n % 2} for n in range(5)
    ]
    pages = [{"page": "The cat sat on the mat .\n It was a good cat ."}]
    for name, rows in (("arc_easy/test", arc), ("piqa/validation", piqa), ("wikitext2/test_pages", pages)):
        path = tmp_path / f"{name}.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_a_record_says_what_is_needed_to_repeat_it(model, folder):
    record = evaluate(model, ["arc_easy", "piqa", "wikitext"], Conditions(data=EvalData(folder), seed=3))
    assert record["parameters"] == sum(parameter.numel() for parameter in model.decoder.parameters())
    assert record["weights_sha256"] == model.weights_sha256
    assert (
        record["settings"] | {"precision": "exact", "limit": None, "seed": 3, "max_length": 32} == record["settings"]
    )
    assert [len(files["files"]) for files in record["data"].values()] == [1, 1, 1]
    assert {item["task"] for item in record["items"]} == {"arc_easy", "piqa", "wikitext"}
    assert len(record["items"]) == 9
    assert next(iter(record["scores"]["arc_easy"])) == "acc_norm"
    assert record["baselines"]["arc_easy"]["chance"] == pytest.approx(1 / 3)
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_scores_follow_from_the_items(model, folder):
    record = evaluate(model, ["piqa"], Conditions(data=EvalData(folder)))
    for metric, divisor in (("acc", None), ("acc_norm", "characters"), ("acc_bytes", "bytes")):
        right = 0
        for item in record["items"]:
            lengths = item[divisor] if divisor else [1, 1]
            scores = [value / length for value, length in zip(item["log_probabilities"], lengths, strict=True)]
            right += scores.index(max(scores)) in item["labels"]
        assert record["scores"]["piqa"][metric]["value"] == pytest.approx(right / 5)


def test_what_is_not_there_is_skipped_with_the_reason(model, folder):
    record = evaluate(model, ["piqa", "hellaswag", "arithmark2"], Conditions(data=EvalData(folder)))
    assert set(record["skipped"]) == {"hellaswag", "arithmark2"}
    assert "hellaswag/validation.jsonl" in record["skipped"]["hellaswag"]
    assert "arithmark2-generated" in record["skipped"]["arithmark2"]
    assert set(record["scores"]) == {"piqa"}


def test_nothing_left_to_score_is_an_error_that_says_why(model, folder):
    with pytest.raises(BadInput, match=r"no task can be scored \(hellaswag: needs hellaswag/validation"):
        evaluate(model, ["hellaswag"], Conditions(data=EvalData(folder)))


def test_after_one_benchmark_out_of_reach_no_other_is_waited_for(model, monkeypatch):
    asked = []

    def unreachable(benchmark, config):
        asked.append(benchmark.name)
        raise OutOfReach("no network")

    monkeypatch.setattr(documents, "_from_hub", unreachable)
    record = evaluate(model, ["piqa", "minimal-pairs", "arc_easy", "arithmark2"], Conditions(limit=2))
    assert asked == ["piqa"]
    assert record["skipped"]["piqa"] == "no network"
    assert "piqa" in record["skipped"]["arc_easy"]
    assert "piqa" in record["skipped"]["arithmark2"]
    assert "minimal-pairs" in record["scores"]


def test_damaged_data_are_said_at_once(model, folder):
    (folder / "piqa" / "validation.jsonl").write_text('{"goal": "open", "sol1": "a", "sol2": "b", "label": 7}\n')
    with pytest.raises(BadInput, match=r"piqa/validation\.jsonl, line 1"):
        evaluate(model, ["arc_easy", "piqa"], Conditions(data=EvalData(folder)))


def test_a_suite_is_its_tasks_with_their_limits(model, folder, monkeypatch):
    monkeypatch.setitem(evaluate_module.expand.__globals__["SUITES"], "two", ("arc_easy:2", "piqa"))
    record = evaluate(model, ["two"], Conditions(data=EvalData(folder)))
    assert record["scores"]["arc_easy"]["acc"]["n"] == 2
    assert record["scores"]["piqa"]["acc"]["n"] == 5
    smaller = evaluate(model, ["two"], Conditions(data=EvalData(folder), limit=1))
    assert {scores["acc"]["n"] for scores in smaller["scores"].values()} == {1}


def test_items_that_ask_the_same_are_counted(model, folder):
    path = folder / "piqa" / "validation.jsonl"
    path.write_text(2 * path.read_text())
    record = evaluate(model, ["piqa"], Conditions(data=EvalData(folder)))
    assert record["warnings"] == ["piqa: 5 items ask what an earlier one asked, word for word"]


def test_indices_stand_for_whole_benchmarks_only(model, folder, monkeypatch):
    whole = {"intelligence_index": {"value": 3.0, "low": 1.0, "high": 5.0}}
    monkeypatch.setattr(evaluate_module, "indices", lambda scores: whole if "piqa" in scores else {})
    assert evaluate(model, ["piqa"], Conditions(data=EvalData(folder)))["index"] == 3.0
    assert evaluate(model, ["piqa"], Conditions(data=EvalData(folder), limit=3))["index"] is None


@pytest.mark.parametrize(
    ("name", "message"), [("arithmark_2.0.jsonl", "has SHA-256"), ("mine.jsonl", "lines of TOML")]
)
def test_a_file_of_items_is_official_or_needs_a_description(model, tmp_path, name, message):
    path = tmp_path / name
    path.write_text("{}\n")
    with pytest.raises(BadInput, match=message):
        evaluate(model, [str(path)])


@pytest.mark.parametrize(
    ("settings", "message"), [({"limit": 0}, "--limit 0"), ({"precision": "half"}, "known are exact and fast")]
)
def test_conditions_out_of_range_are_refused(settings, message):
    with pytest.raises(BadInput, match=message):
        Conditions(**settings)


def test_groups_in_groups_are_named(model):
    record = evaluate(model, ["minimal-pairs"], Conditions(limit=2))
    assert record["outer_groups"] == {}
    assert record["scores"]["minimal-pairs"]["acc"]["n"] == 44


def test_equations_to_write_are_scored_by_name_with_lengths_in_their_operators(model):
    record = evaluate(model, ["arithmetic-length", "arithmark2-generated-free:3"], Conditions(limit=1))
    assert record["outer_groups"] == {
        "arithmetic-length": ["sums", "differences", "products"],
        "arithmark2-generated-free": ["3 operators"],
    }
    assert record["scores"]["arithmetic-length"]["exact_match"]["n"] == 46
    assert record["scores"]["arithmark2-generated-free"]["exact_match"]["n"] == 1
    assert record["data"]["arithmetic-length"]["source"] == "generated by smidgen with seed 0"
