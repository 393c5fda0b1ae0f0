import xml.etree.ElementTree as ElementTree

import pytest

from smidgen.lab.diagnosis import histogram
from smidgen.reports.charts.margin_histogram import draw


def chart(samples, width=340):
    colours = {name: f"s{number + 1}" for number, name in enumerate(samples)}
    return ElementTree.fromstring(draw("title", histogram(samples, bins=7), "nats", colours, width))


def outline(tree, colour):
    (line,) = [node for node in tree.iter("polyline") if node.get("class") == f"outline {colour}"]
    return [tuple(float(number) for number in pair.split(",")) for pair in line.get("points").split()]


def test_an_outline_begins_and_ends_on_the_axis_and_peaks_at_the_largest_share():
    tree = chart({"a": [-1.0, 1.0, 1.1, 1.2, 1.3], "b": [-2.0, -1.0, 0.5, 2.0, 3.0]})
    points = outline(tree, "s1")
    assert points[0][1] == points[-1][1] == max(y for _, y in points)
    assert min(y for _, y in points) == pytest.approx(20)
    assert min(y for _, y in outline(tree, "s2")) > 20


def test_zero_stands_between_wrong_and_right():
    tree = chart({"a": [-3.0, -1.0, 1.0, 3.0]})
    (zero,) = [node for node in tree.iter("line") if node.get("class") == "zero"]
    assert 100 < float(zero.get("x1")) < 240
    assert {"wrong", "right"} <= {node.text for node in tree.iter("text")}


def test_each_bin_can_be_read_off_for_each_model():
    tips = [
        node.get("data-tip") for node in chart({"ant": [1.0, 2.0], "bee": [3.0]}).iter("g") if node.get("data-tip")
    ]
    assert all("ant " in tip and "bee " in tip for tip in tips)
    assert sum("bee 100.0%" in tip for tip in tips) == 1
