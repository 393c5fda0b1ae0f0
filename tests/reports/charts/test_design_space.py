import xml.etree.ElementTree as ElementTree

import pytest

from smidgen.reports.charts.design_space import draw
from smidgen.reports.solving.space import Landmark, space_of

# Width, depth, score: the best first.
FOUND = [[224, 7, 0.02], [256, 7, 0.05], [192, 9, 0.2], [192, 7, 0.4], [128, 11, 0.9], [64, 30, 5.0]]
LANDMARK = Landmark(name="ant-5m", hidden_size=320, num_layers=4, parameters=4_730_240)


@pytest.fixture
def space():
    return space_of(FOUND, [LANDMARK])


def elements(space, width, tag, class_):
    return [one for one in ElementTree.fromstring(draw(space, width)).iter(tag) if one.get("class") == class_]


def test_what_is_far_worse_than_the_best_is_left_out(space):
    assert [cell.hidden_size for cell in space.cells] == [224, 256, 192, 192, 128]
    assert space.depths == range(4, 12)
    assert space.widths == [128, 192, 224, 256, 320]


def test_shades_are_distances_to_the_best(space):
    assert [space.shade(cell) for cell in space.cells] == [0, 0, 1, 2, 3]


def test_the_frontier_is_the_best_width_of_each_depth(space):
    assert [(cell.num_layers, cell.hidden_size) for cell in space.frontier] == [(7, 224), (9, 192), (11, 128)]


@pytest.mark.parametrize("width", [720, 340])
def test_wider_is_higher_and_deeper_is_further_right(space, width):
    [best] = elements(space, width, "circle", "best")
    [mark] = elements(space, width, "circle", "landmark")
    assert float(mark.get("cy")) < float(best.get("cy"))
    assert float(mark.get("cx")) < float(best.get("cx"))
    assert len(elements(space, width, "rect", "cell shade0")) == 2
    assert 0 <= float(best.get("cx")) <= width


def test_marks_say_what_they_are(space):
    tips = [one.get("data-tip") for one in elements(space, 720, "g", "mark")]
    assert "7 layers of 224\n0.02% of the loss" in tips
    assert "ant-5m: 4 layers of 320, 4.73M parameters" in tips


def test_a_single_shape_can_be_drawn():
    draw(space_of([[64, 2, 0.3]]), 340)
