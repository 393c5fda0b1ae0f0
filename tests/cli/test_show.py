"""What people read in the terminal after scoring."""

import pytest
from rich.console import Console

from smidgen.cli.show import show_scores


def score(value, n=300, **counts):
    return {"value": value, "low": value * 0.9, "high": value * 1.1, "n": n, **counts}


@pytest.fixture
def shown():
    """The printed lines of a record with these scores, blanks reduced to one."""

    def show(scores, **fields):
        screen = Console(width=200, record=True, force_terminal=False)
        show_scores(screen, {"scores": scores, "baselines": {}, "skipped": {}, **fields})
        return [" ".join(line.split()) for line in screen.export_text().splitlines()]

    return show


def line_of(lines, name):
    (line,) = [line for line in lines if line.startswith(name)]
    return line


def test_the_share_of_real_words_is_held_against_real_text(shown):
    lines = shown(
        {"spelling": {"real_words": score(0.8)}, "spelling/docs": {"real_words": score(0.7)}},
        baselines={"spelling": {"real text": 0.983}, "spelling/docs": {"real text": 0.971}},
    )
    assert line_of(lines, "spelling, real words").endswith("300 real text 98.3%")
    assert line_of(lines, "docs").endswith("300 real text 97.1%")


def test_bits_per_byte_are_held_against_all_compressors(shown):
    lines = shown(
        {"bits-per-byte": {"bits_per_byte": score(1.5)}},
        baselines={"bits-per-byte": {"gzip": 2.392, "xz": 2.162}},
    )
    assert line_of(lines, "bits-per-byte").endswith("1.500 1.350 to 1.650 300 gzip 2.392, xz 2.162")


def test_a_choice_is_held_against_chance_and_the_best_rule(shown):
    lines = shown(
        {"my task": {"acc": score(0.5), "exact_match": score(0.1)}},
        baselines={"my task": {"chance": 0.25, "longest": 0.31, "shortest": 0.27}},
    )
    assert line_of(lines, "my task 50.0%").endswith("300 chance 25.0%, always the longest 31.0%")
    assert line_of(lines, "my task, exact match").endswith("300")


def test_a_task_without_baselines_is_held_against_nothing(shown):
    lines = shown({"story": {"acc": score(0.5)}}, baselines={"story": {}})
    assert line_of(lines, "story").endswith("55.0% 300")


def test_ties_and_cut_contexts_are_counted_only_where_there_are_any(shown):
    lines = shown({"a": {"acc": score(0.5, ties=1200, truncated=7)}, "b": {"acc": score(0.5, ties=0, truncated=0)}})
    assert line_of(lines, "a 50.0%").endswith("300 1,200 ties, 7 cut on the left")
    assert line_of(lines, "b 50.0%").endswith("300")


def test_of_too_many_parts_the_outer_groups_are_shown(shown):
    scores = {"x": {"acc": score(0.5)}, **{f"x/set {number}": {"acc": score(0.4)} for number in range(31)}}
    lines = shown(scores, outer_groups={"x": ["set 3", "set 17"]})
    assert [line.split()[1] for line in lines if line.startswith("set")] == ["3", "17"]


def test_as_many_parts_as_can_be_read_are_all_shown_by_their_usual_metric(shown):
    both = {"acc_norm": score(0.4), "acc": score(0.3)}
    lines = shown({"x": both, **{f"x/set {number}": both for number in range(30)}})
    assert len([line for line in lines if line.startswith("set")]) == 30
    assert len([line for line in lines if line.startswith("x")]) == 2


def test_indices_warnings_and_skipped_tasks_follow(shown):
    lines = shown(
        {"x": {"acc": score(0.5)}},
        indices={"intelligence_index": {"value": -0.52, "low": -3.1, "high": 2.06}},
        warnings=["x: 2 items are the same"],
        skipped={"piqa": "no file"},
    )
    assert lines[-3:] == [
        "Open SLM Intelligence Index: -0.52 (-3.10 to 2.06)",
        "note: x: 2 items are the same",
        "skipped piqa: no file",
    ]
