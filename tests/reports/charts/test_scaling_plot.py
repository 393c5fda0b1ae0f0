import re
import xml.etree.ElementTree as ElementTree

import pytest

from smidgen.reports.charts.forest_plot import Estimate
from smidgen.reports.charts.scaling_plot import Labels, Series, draw

LABELS = Labels(place_words="{:g}×".format, tick_words="{:g} points".format, sides=("worse", "better"))


def series(name, colour, **values):
    estimates = {
        float(place[1:]): (Estimate(value=value, low=value - 1, high=value + 1, colour=colour), f"{value:.1f}")
        for place, value in values.items()
    }
    return Series(name=name, colour=colour, estimates=estimates)


def chart(*listed, width=720):
    return ElementTree.fromstring(draw("title", listed, width, LABELS))


def of_class(tree, start):
    return [node for node in tree.iter() if (node.get("class") or "").startswith(start)]


@pytest.mark.parametrize("width", [720, 340])
def test_each_doubling_is_as_wide_as_the_next(width):
    tree = chart(series("a", "s1", x1=1.0, x2=2.0, x4=-1.0), width=width)
    first, second, third = (float(node.get("cx")) for node in of_class(tree, "estimate"))
    assert second - first == pytest.approx(third - second, abs=0.2)
    heights = [float(node.get("cy")) for node in of_class(tree, "estimate")]
    assert heights[1] < heights[0] < float(of_class(tree, "zero")[0].get("y1")) < heights[2]


def test_neighbours_at_one_multiple_do_not_cover_each_other():
    tree = chart(series("a", "s1", x1=1.0, x2=1.0), series("b", "s2", x1=1.0, x2=1.0))
    places = [float(node.get("cx")) for node in of_class(tree, "estimate")]
    assert len(set(places)) == 4
    assert abs(places[0] - places[2]) >= 10


def test_values_can_be_read_off():
    drawn = draw("t", [series("a", "s1", x1=1.0, x2=-2.0)], 720, LABELS)
    assert re.findall(r'data-tip="([^"]*)"', drawn) == ["a, 1×&#10;1.0", "a, 2×&#10;-2.0"]
    assert ">-2 points<" in drawn
    assert "↓ better" in drawn
