import json

import pytest

from smidgen.reports.run_records import read_run
from smidgen.reports.stored.scores import Index, joined, read_score_files


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


def file_of(tmp_path, name, **content):
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / f"{name}.json").write_text(json.dumps({"model": "m", "scores": {}, **content}))


def test_the_first_metric_of_a_task_is_the_one_to_quote(tmp_path):
    write(tmp_path, "a", {"x": {"acc_norm": VALUE, "acc": VALUE}, "x/part": {"acc_norm": VALUE, "acc": VALUE}})
    (file,) = read_score_files(tmp_path)
    assert [(score.task, score.metric) for score in file.quoted] == [("x", "acc_norm"), ("x/part", "acc_norm")]
    assert [(score.task, score.metric) for score in file.other_metrics] == [("x", "acc")]


@pytest.mark.parametrize(
    ("parts", "outer_groups", "shown"),
    [(12, ["4"], 13), (13, ["4"], 2), (31, ["4"], 2), (13, [], 14), (30, [], 31), (31, [], 1)],
)
def test_too_many_parts_are_summed_up_by_outer_groups(tmp_path, parts, outer_groups, shown):
    scores = {"x": {"acc": VALUE}, **{f"x/{number}": {"acc": VALUE} for number in range(parts)}}
    file_of(tmp_path, "a", scores=scores, outer_groups={"x": outer_groups})
    (file,) = read_score_files(tmp_path)
    assert len(file.quoted) == shown
    assert {f"x/{group}" for group in outer_groups} <= {score.task for score in file.quoted}


def test_real_words_have_the_share_of_real_text_beside_them(tmp_path):
    write(tmp_path, "a", {"spelling": {"real_words": VALUE}}, {"spelling": {"real text": 0.98}})
    assert only(tmp_path)["spelling", "real_words"].baselines == {"real text": 0.98}


def test_files_are_joined_by_the_task_with_most_items(tmp_path):
    few, many = {**VALUE, "n": 30}, {**VALUE, "n": 1000}
    file_of(tmp_path, "a", scores={"x": {"acc": few}, "y": {"acc": few}, "z": {"acc": few}}, warnings=["one"])
    file_of(tmp_path, "b", scores={"x": {"acc": many}, "w": {"acc": few}}, skipped={"y": "no", "v": "no"})
    file = joined(read_score_files(tmp_path))
    assert {score.task: score.n for score in file.scores} == {"x": 1000, "y": 30, "z": 30, "w": 30}
    assert file.skipped == {"v": "no"}
    assert file.warnings == ("one",)


def test_only_files_on_the_same_weights_are_joined(full_run, edit):
    content = {"scores": {"x": {"acc": VALUE}}, "weights_sha256": "other"}
    file_of(full_run.scores, "later", **content)
    edit(full_run.scores / "recipe.json", lambda stored: stored.update(weights_sha256="mine"))
    assert not [score for score in read_run(full_run).scores.scores if score.task == "x"]
    file_of(full_run.scores, "later", **{**content, "weights_sha256": "mine"})
    assert [score for score in read_run(full_run).scores.scores if score.task == "x"]


def test_an_index_without_interval_is_still_an_index(tmp_path):
    file_of(tmp_path, "a", index=4.5)
    (file,) = read_score_files(tmp_path)
    assert file.indices == (Index(name="intelligence_index", value=4.5, low=None, high=None),)
