import xml.etree.ElementTree as ElementTree

import pytest

from smidgen.reports.charts.loss_curve import MOST_POINTS, draw, panels, table_rows, thinned
from smidgen.reports.stored.training import HeldOutPoint, TrainingPoint, TrainingRecord


def trained(points, held_out=0):
    return TrainingRecord(
        points=tuple(
            TrainingPoint(
                step=n, tokens=n * 7, seconds=n * 0.5, loss=9 - n / 1000, learning_rate=0.001, tokens_per_second=None
            )
            for n in range(1, points + 1)
        ),
        held_out=tuple(
            HeldOutPoint(step=n * 5, tokens=n * 35, seconds=n * 2.5, bits_per_byte=3 - n / 100, by_source={})
            for n in range(1, held_out + 1)
        ),
        events=(),
    )


def test_long_runs_are_thinned_to_means_that_keep_the_end():
    points = trained(2_345).points
    few = thinned(points, MOST_POINTS)
    assert len(few) <= MOST_POINTS
    assert few[-1].step == 2_345
    assert few[0].loss == pytest.approx(sum(point.loss for point in points[:7]) / 7)


def test_short_runs_are_drawn_point_by_point():
    points = trained(23).points
    assert thinned(points, MOST_POINTS) == list(points)


@pytest.mark.parametrize(("points", "held_out"), [(1, 0), (0, 1), (1, 1), (2, 0), (0, 3)])
def test_the_first_steps_of_a_run_can_be_drawn(points, held_out):
    training = trained(points, held_out)
    assert {panel.name for panel in panels(training)} == ({"Training loss", "Learning rate"} if points else set()) | (
        {"Held-out text"} if held_out else set()
    )
    for width in (720, 340):
        ElementTree.fromstring(draw(training, width))


def test_values_can_be_read_off():
    chart = ElementTree.fromstring(draw(trained(23, 4), 720))
    tips = [node.get("data-tip") for node in chart.iter() if node.get("data-tip")]
    assert len(tips) == 23
    assert "held-out" not in tips[0]
    assert tips[-1].replace("\u00a0", " ") == (
        "161 tokens, step 23, 12 s\ntraining loss 8.98 nats per token\nheld-out text 2.96 bits per byte\n"
        "learning rate 0.001"
    )


def test_tables_of_long_runs_keep_the_first_and_the_last_row():
    rows = table_rows(trained(0, 101))
    assert len(rows) == 24
    assert (rows[0].step, rows[-1].step) == (5, 505)
