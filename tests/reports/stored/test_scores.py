import json

import pytest

from smidgen.reports.stored.scores import read_score_files


def write(folder, name, scores, baselines=None):
    folder.mkdir(exist_ok=True)
    content = {"model": "m", "scores": scores, "baselines": baselines or {}}
    (folder / f"{name}.json").write_text(json.dumps(content))


def only(tmp_path):
    (file,) = read_score_files(tmp_path)
    return {(score.task, score.metric): score for score in file.scores}


VALUE = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10, "ties": 0, "truncated": 0}


def test_a_part_of_a_task_inherits_chance_and_no_other_rule(tmp_path):
    scores = {"x": {"acc": VALUE, "acc_1_operator": VALUE}, "x/part": {"acc": VALUE}}
    write(tmp_path, "a", scores, {"x": {"chance": 0.25, "longest": 0.3}})
    found = only(tmp_path)
    assert found["x", "acc"].baselines == {"chance": 0.25, "longest": 0.3}
    assert found["x", "acc_1_operator"].baselines == found["x/part", "acc"].baselines == {"chance": 0.25}


def test_a_free_answer_has_no_chance_level(tmp_path):
    write(tmp_path, "a", {"x": {"exact_match": VALUE}}, {"x": {"chance": 0.25}})
    score = only(tmp_path)["x", "exact_match"]
    assert score.chance is None
    assert score.is_above_chance is None


def test_bits_per_byte_of_a_source_have_their_own_compressors(tmp_path):
    scores = {"bits-per-byte": {"bits_per_byte": VALUE}, "bits-per-byte/a": {"bits_per_byte": VALUE}}
    write(tmp_path, "a", scores, {"bits-per-byte": {"gzip": 2.0}, "bits-per-byte/a": {"gzip": 3.0}})
    found = only(tmp_path)
    assert found["bits-per-byte/a", "bits_per_byte"].baselines == {"gzip": 3.0}
    assert not found["bits-per-byte", "bits_per_byte"].is_fraction


@pytest.mark.parametrize(
    ("files", "first"),
    [
        ({"step-900": 1, "step-1000": 1}, "step-1000"),
        ({"a": 2, "b": 1}, "a"),
        ({"3": 1, "x": 1}, "x"),
    ],
)
def test_the_fullest_file_speaks_for_the_run_then_the_last(tmp_path, files, first):
    for name, tasks in files.items():
        write(tmp_path, name, {f"task-{number}": {"acc": VALUE} for number in range(tasks)})
    assert read_score_files(tmp_path)[0].name == first
