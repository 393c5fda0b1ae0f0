import xml.etree.ElementTree as ElementTree

import pytest

from smidgen.reports.charts.forest_plot import Axis, Estimate, Row, draw, limits, reach


def chart(*rows, width=720, **axis):
    settings = {"low": -1.0, "high": 1.0, "tick_words": lambda tick: f"{tick:.1f}", **axis}
    return ElementTree.fromstring(draw("title", rows, Axis(**settings), width))


def of_class(tree, start):
    return [node for node in tree.iter() if (node.get("class") or "").startswith(start)]


@pytest.mark.parametrize("width", [720, 340])
def test_marks_stand_where_the_axis_says(width):
    tree = chart(
        Row(label="x", estimates=(Estimate(value=0.0, low=-0.5, high=0.5),), chance=0.5), width=width, zero=0.0
    )
    grid = {round(float(node.get("x1"))) for node in of_class(tree, "grid")}
    (zero,), (whisker,), (chance,) = of_class(tree, "zero"), of_class(tree, "interval"), of_class(tree, "chance")
    (dot,) = of_class(tree, "estimate")
    assert dot.get("cx") == zero.get("x1")
    assert {round(float(whisker.get(key))) for key in ("x1", "x2")} <= grid
    assert chance.get("x1") == whisker.get("x2")


def test_each_model_has_a_line_of_its_own_within_a_row():
    marks = tuple(Estimate(value=0.1 * number, colour=f"s{number + 1}") for number in range(3))
    tree = chart(Row(label="x", estimates=marks), Row(label="y", estimates=marks[:1]))
    heights = [float(node.get("cy")) for node in of_class(tree, "estimate")]
    assert heights == sorted(set(heights))
    assert len(heights) == 4
    assert [node.get("class") for node in of_class(tree, "estimate")][2] == "estimate s3"


def test_an_estimate_without_interval_has_none_and_a_heading_no_marks():
    tree = chart(Row(label="Heading"), Row(label="x", estimates=(Estimate(value=0.3, is_hollow=True),)))
    assert of_class(tree, "interval") == []
    assert len(of_class(tree, "estimate hollow")) == 1
    assert any(node.text == "Heading" for node in of_class(tree, "heading"))


def test_limits_hold_everything_with_some_room():
    rows = [Row(label="x", estimates=(Estimate(value=3.0, low=2.0, high=5.0),), chance=7.0)]
    low, high = limits(rows, 0.0)
    assert low < 0
    assert high > 7
    low, high = limits([Row(label="x", estimates=(Estimate(value=0.0),))])
    assert low < 0 < high


def test_a_mark_beyond_the_axis_is_an_arrow_at_its_edge():
    tree = chart(Row(label="x", estimates=(Estimate(value=7.0, low=-0.5, high=9.0),)))
    (arrow,) = of_class(tree, "estimate")
    (whisker,) = of_class(tree, "interval")
    assert arrow.tag == "polygon"
    assert arrow.get("points").startswith(f"{whisker.get('x2')},")


def test_dots_that_the_axis_holds_stand_below_the_mark():
    tree = chart(Row(label="x", estimates=(Estimate(value=0.0),), dots=(-0.5, 0.5, 3.0)))
    dots = of_class(tree, "seed")
    assert len(dots) == 2
    assert float(dots[0].get("cy")) > float(of_class(tree, "estimate")[0].get("cy"))


@pytest.mark.parametrize("width", [720, 340])
def test_a_note_makes_its_row_higher_and_a_row_of_words_alone_is_no_heading(width):
    plain = chart(Row(label="x", words="nothing known"), width=width)
    noted = chart(Row(label="x", words="nothing known", note="diverged", note_colour="worse"), width=width)
    assert of_class(plain, "heading") == []
    assert [node.text for node in of_class(noted, "note worse")] == ["diverged"]
    heights = [float(tree.get("viewBox").split()[3]) for tree in (plain, noted)]
    assert heights[1] > heights[0]


def test_a_band_is_cut_at_the_axis():
    (band,) = of_class(chart(Row(label="x", estimates=(Estimate(value=0.0),)), band=(-9.0, 0.0)), "noise")
    (zero,) = of_class(chart(Row(label="x", estimates=(Estimate(value=0.0),)), zero=0.0), "zero")
    assert float(band.get("x")) + float(band.get("width")) == pytest.approx(float(zero.get("x1")), abs=0.2)


def test_an_extent_that_dwarfs_the_typical_one_does_not_set_the_axis():
    assert reach([1.0, 2.0, 3.0]) == 3.0
    assert reach([1.0, 2.0, 300.0]) == 2.0
    assert reach([1.0, 5.0]) == 5.0
    assert reach([]) == 0.0
