import xml.etree.ElementTree as ElementTree

import pytest

from smidgen.reports.charts.interval_chart import draw, rows
from smidgen.reports.stored.scores import Score


def score(task="x", metric="acc", value=0.5, low=0.4, high=0.6, **baselines):
    return Score(
        task=task, metric=metric, value=value, low=low, high=high, n=100, ties=0, truncated=0, baselines=baselines
    )


def marks(chart, class_):
    # The legend above the rows has one of each kind.
    return [node for node in chart.iter() if node.get("class") == class_][1:]


def test_a_task_comes_before_its_parts():
    given = tuple(score(task) for task in ("x/one", "x", "x/two_more", "y"))
    assert [(row.label, row.is_part) for row in rows(given)] == [
        ("X", False),
        ("one", True),
        ("two more", True),
        ("Y", False),
    ]


def test_the_sign_of_an_operator_is_no_hyphen():
    given = (score("x"), score("x/with -"), score("x/two-more"))
    assert [row.label for row in rows(given)] == ["X", "with -", "two more"]


def test_benchmarks_have_the_names_of_their_authors_and_other_metrics_than_accuracy_are_named():
    given = (score("arc_easy", "acc_norm"), score("blimp"))
    assert [row.label for row in rows(given)] == ["ARC-Easy, acc_norm", "BLiMP"]


def test_parts_without_a_whole_have_a_heading():
    heading, part = rows((score("x/one"),))
    assert (heading.label, heading.score) == ("X", None)
    assert part.label == "one"


def test_parts_named_by_their_metric_are_parts_too():
    given = (score(metric="acc"), score(metric="acc_1_operator"))
    assert [row.label for row in rows(given)] == ["X", "1 operator"]


@pytest.mark.parametrize(("chance", "kind"), [(0.39, "filled"), (0.4, "hollow"), (0.5, "hollow"), (0.7, "hollow")])
def test_a_dot_is_filled_only_where_the_whole_interval_lies_above_chance(chance, kind):
    chart = ElementTree.fromstring(draw((score(low=0.4, chance=chance),), 720))
    assert len(marks(chart, f"dot {kind}")) == 1


@pytest.mark.parametrize("width", [720, 340])
def test_marks_stand_where_the_axis_says(width):
    chart = ElementTree.fromstring(draw((score(value=0.5, low=0.25, high=0.75, chance=0.25),), width))
    grid = [float(node.get("x1")) for node in chart.iter() if node.get("class") == "grid"]
    (whisker,) = marks(chart, "whisker")[1:]
    (dot,) = marks(chart, "dot hollow")
    (chance,) = marks(chart, "chance")
    assert [float(whisker.get("x1")), float(dot.get("cx")), float(whisker.get("x2"))] == grid[1:4]
    assert float(chance.get("x1")) == grid[1]


def test_a_score_without_interval_has_no_whisker():
    chart = ElementTree.fromstring(draw((score(low=None, high=None),), 340))
    assert marks(chart, "whisker")[1:] == []
    assert any(node.text == "50.0%" for node in chart.iter("text"))
