import pytest

from smidgen.records import measurements


def test_lines_come_back_by_kind_in_order_of_step(tmp_path):
    path = tmp_path / "measurements.jsonl"
    for step in (2, 1, 3):
        measurements.append(path, measurements.TRAINING, step=step, loss=float(step))
    measurements.append(path, measurements.HELD_OUT, step=1, bits_per_byte=2.0)
    assert [line["step"] for line in measurements.read(path, measurements.TRAINING)] == [1, 2, 3]
    assert [line["bits_per_byte"] for line in measurements.read(path, measurements.HELD_OUT)] == [2.0]


def test_a_step_that_was_repeated_after_a_kill_counts_once_with_its_newest_value(tmp_path):
    path = tmp_path / "measurements.jsonl"
    for loss in (5.0, 4.0):
        measurements.append(path, measurements.TRAINING, step=7, loss=loss)
    assert [line["loss"] for line in measurements.read(path, measurements.TRAINING)] == [4.0]


def test_all_events_of_a_step_are_kept(tmp_path):
    path = tmp_path / "measurements.jsonl"
    for message in ("first", "second"):
        measurements.append(path, measurements.EVENT, step=0, message=message)
    assert [line["message"] for line in measurements.read(path, measurements.EVENT)] == ["first", "second"]


def test_a_line_cut_short_by_a_kill_is_ignored_and_the_next_one_is_whole(tmp_path):
    path = tmp_path / "measurements.jsonl"
    measurements.append(path, measurements.TRAINING, step=1, loss=1.0)
    with path.open("a") as file:
        file.write('{"kind": "training", "st')
    measurements.append(path, measurements.TRAINING, step=2, loss=2.0)
    assert [line["step"] for line in measurements.read(path, measurements.TRAINING)] == [1, 2]


def test_nan_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        measurements.append(tmp_path / "m.jsonl", measurements.TRAINING, step=1, loss=float("nan"))


def test_an_absent_file_has_no_lines(tmp_path):
    assert measurements.read(tmp_path / "none.jsonl", measurements.TRAINING) == []
