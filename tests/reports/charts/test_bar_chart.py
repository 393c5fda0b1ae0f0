import xml.etree.ElementTree as ElementTree

import pytest

from smidgen.reports.charts.bar_chart import bits_groups, draw, stage_groups
from smidgen.reports.stored.manifest import StageCost
from smidgen.reports.stored.scores import Score


def bits(task, value):
    return Score(
        task=task,
        metric="bits_per_byte",
        value=value,
        low=None,
        high=None,
        n=3,
        ties=0,
        truncated=0,
        baselines={"gzip": 2 * value, "xz": 1.5 * value},
    )


def lengths(chart):
    rectangles = ElementTree.fromstring(chart).iter("rect")
    # Swatches of the legend are lower.
    bars = [node for node in rectangles if node.get("class").startswith("bar") and node.get("height") == "13"]
    return [float(node.get("width")) for node in bars]


@pytest.mark.parametrize("width", [720, 340])
def test_bars_begin_at_zero_and_are_as_long_as_their_values(width):
    groups = bits_groups(bits("bits-per-byte", 1.0), (bits("bits-per-byte/a", 1.5),))
    assert [group.label for group in groups] == ["all held-out text", "a"]
    measured = lengths(draw("bits", groups, width))
    assert measured == pytest.approx([value * measured[0] for value in (1, 2, 1.5, 1.5, 3, 2.25)], rel=2e-3)


def test_sources_without_an_overall_score_are_drawn_alone():
    assert [group.label for group in bits_groups(None, (bits("bits-per-byte/a", 1.5),))] == ["a"]


def test_a_stage_tells_its_time_and_memory_where_known():
    stages = (
        StageCost(name="data", seconds=20.0, peak_memory_bytes=655_000_000),
        StageCost(name="train", seconds=0.0, peak_memory_bytes=None),
    )
    groups = stage_groups(stages)
    assert [group.bars[0].words.replace("\u00a0", " ") for group in groups] == ["20 s, 655 MB", "0.0 s"]
    assert lengths(draw("stages", groups, 720))[1] == 0


def test_stages_that_took_no_time_can_be_drawn():
    draw("stages", stage_groups((StageCost(name="design", seconds=0.0, peak_memory_bytes=None),)), 340)
