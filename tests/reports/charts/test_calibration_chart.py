import xml.etree.ElementTree as ElementTree

from smidgen.evaluation.score import accuracy
from smidgen.lab.diagnosis import Calibration, ReliabilityBin
from smidgen.reports.charts.calibration_chart import draw


def curve(*bins):
    made = [
        ReliabilityBin(confidence=sure, accuracy=accuracy([1.0] * right + [0.0] * wrong))
        for sure, right, wrong in bins
    ]
    return Calibration(bins=tuple(made), error=accuracy([1.0]))


def test_a_calibrated_bin_lies_on_the_diagonal_and_an_overconfident_one_below():
    drawn = draw("title", {"ant": curve((0.5, 20, 20), (0.9, 15, 15))}, {"ant": "s1"}, 340)
    tree = ElementTree.fromstring(drawn)
    (line,) = [node for node in tree.iter("line") if node.get("class") == "diagonal"]
    x1, y1, x2, y2 = (float(line.get(key)) for key in ("x1", "y1", "x2", "y2"))
    first, second = [
        (float(dot.get("cx")), float(dot.get("cy"))) for dot in tree.iter("circle") if dot.get("class") == "s1"
    ]
    assert first == ((x1 + x2) / 2, (y1 + y2) / 2)
    assert second[1] > y1 + 0.9 * (y2 - y1) + 50


def test_bins_of_a_few_items_are_not_drawn():
    drawn = draw("title", {"ant": curve((0.5, 5, 4), (0.9, 5, 5))}, {"ant": "s1"}, 340)
    tips = [node.get("data-tip") for node in ElementTree.fromstring(drawn).iter("g") if node.get("data-tip")]
    assert len(tips) == 1
    assert "10 items" in tips[0]
