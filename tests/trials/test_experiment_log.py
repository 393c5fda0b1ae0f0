from datetime import date

import pytest

from smidgen.errors import BadInput
from smidgen.lab.ablation.result import ablation_result
from smidgen.trials.experiment_log import append_to_log, log_line


@pytest.fixture
def result(new_try, measured):
    attempt = new_try()
    content = ablation_result(attempt.ablation, attempt.folder.path)
    return {**content, "finished": True, "run": "runs/small"}


def test_a_line_says_when_what_came_out_under_which_conditions_and_where(result):
    line = log_line(result, date(2026, 11, 21))
    assert line.startswith("* 2026-11-21, Does a larger learning rate help? quick has no verdict yet")
    assert line.endswith(
        f"Base small, 3,840 tokens each, seeds 1, 2; `runs/small`, ablation {result['fingerprint'][:12]}.\n"
    )
    assert line.count("\n") == 1


def test_a_name_stands_where_there_is_no_question(result):
    assert "-21, small: quick" in log_line({**result, "question": "", "name": "small"}, date(2026, 11, 21))


def test_the_line_comes_after_what_is_there_and_once_only(result, tmp_path):
    log = tmp_path / "notes" / "experiments.md"
    assert append_to_log(result, log)
    assert log.read_text().startswith("# Experiments\n\n* ")
    before = log.read_text()
    assert not append_to_log(result, log)
    assert log.read_text() == before
    other = {**result, "fingerprint": "f" * 64}
    log.write_text("An unfinished line")
    assert append_to_log(other, log)
    assert log.read_text().startswith("An unfinished line\n* ")


def test_what_is_not_finished_is_not_told(result, tmp_path):
    assert not append_to_log({**result, "finished": False}, tmp_path / "experiments.md")
    assert not (tmp_path / "experiments.md").exists()


def test_a_file_that_is_no_text_is_bad_input(result, tmp_path):
    (tmp_path / "log.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"--log .* not UTF-8"):
        append_to_log(result, tmp_path / "log.md")
    with pytest.raises(BadInput, match="--log"):
        append_to_log(result, tmp_path)
