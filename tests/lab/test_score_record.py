import json
import os

import pytest

from smidgen.errors import BadInput
from smidgen.lab.score_record import labelled, read_record, record_of


@pytest.fixture
def write(tmp_path):
    """Write a score file, ``age`` seconds old."""

    def call(name, content, *, age=0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
        return path

    return call


def test_a_score_file_is_read_with_its_items_by_task(write, content):
    record = read_record(write("a.json", content("alpha", arc_easy=[1, 0, 1], blimp=[0, 1])))
    assert {name: len(task.items) for name, task in record.tasks.items()} == {"arc_easy": 3, "blimp": 2}
    assert record.tasks["arc_easy"].primary.name == "acc_norm"
    assert record.tasks["blimp"].files == {"blimp.jsonl": "f0"}


def test_parts_of_a_task_are_no_tasks(write, content):
    made = content("alpha", blimp=[0, 1])
    made["scores"]["blimp/binding"] = made["scores"]["blimp"]
    assert list(read_record(write("a.json", made)).tasks) == ["blimp"]


def test_a_run_folder_gives_the_newest_results_of_each_task(write, content, tmp_path):
    write("run/scores/old.json", content("alpha", arc_easy=[1, 0, 1], blimp=[0, 1]), age=60)
    write("run/scores/new.json", content("alpha", blimp=[1, 1, 0, 0, 1]), age=10)
    record = read_record(tmp_path / "run")
    assert {name: len(task.items) for name, task in record.tasks.items()} == {"blimp": 5, "arc_easy": 3}
    assert set(record.content["scores"]) == {"blimp", "arc_easy"}
    assert len(record.content["items"]) == 8


def test_a_run_folder_forgets_scores_of_earlier_weights(write, content, tmp_path):
    write("run/scores/step-100.json", content("alpha", weights="w1", arc_easy=[1, 0, 1]), age=60)
    write("run/scores/last.json", content("alpha", weights="w2", blimp=[1, 1]), age=10)
    assert list(read_record(tmp_path / "run").tasks) == ["blimp"]


def test_a_model_without_scores_is_sent_to_evaluate(tmp_path):
    (tmp_path / "export").mkdir()
    with pytest.raises(BadInput, match=r"has no scores yet; run `smidgen evaluate .*export --out SCORES.json` first"):
        read_record(tmp_path / "export")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.json").write_text("{}")
    with pytest.raises(BadInput, match=r"run `smidgen evaluate .*run` first"):
        read_record(tmp_path / "run")


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(BadInput, match="nowhere: no such file or folder"):
        read_record(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ('{"model": "a", "scores"', "damaged or no score record"),
        ("[1, 2]", "expected one JSON object"),
        ('{"scores": {}}', "it has no 'model'"),
        ('{"model": "a", "scores": {"x": {"acc": {"value": NaN}}}}', "NaN is no number"),
        ('{"model": "a", "scores": {}, "items": [{"task": "x", "acc": 1}]}', "an item has no name"),
        ('{"model": "a", "scores": {}, "items": [{"task": "x", "item": "q", "acc": 1e999}]}', "acc is inf"),
        ('{"model": "a", "scores": {"x": {"acc": {"value": 0.5, "n": 7}}}}', "no results of single items"),
        ("\x00\x01", "damaged"),
    ],
)
def test_damaged_files_are_refused_with_their_name(write, text, phrase):
    with pytest.raises(BadInput, match=phrase) as refused:
        read_record(write("bad.json", text))
    assert "bad.json" in str(refused.value)


def test_items_of_one_name_are_told_apart_by_their_order(content):
    made = content("alpha", blimp=[1, 0, 1])
    for item in made["items"]:
        item["item"] = "same"
    named = record_of(made, origin="x").tasks["blimp"].by_identity
    assert [named["same", place]["acc"] for place in (0, 1, 2)] == [1, 0, 1]


def test_models_of_one_name_get_labels_that_differ(content):
    made = content("alpha", blimp=[1, 0])
    records = [record_of(made, origin=origin) for origin in ("a.json", "b.json", "b.json")]
    other = record_of(content("beta", blimp=[1, 0]), origin="c.json")
    labels = [record.label for record in labelled([*records, other])]
    assert labels == ["alpha (a.json)", "alpha (b.json)", "alpha (b.json) #2", "beta"]
