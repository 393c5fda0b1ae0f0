import re
from dataclasses import replace

import pytest

from smidgen.reports.charts.scatter_panels import Dot, Panel, draw

RATE = Panel(name="rate", low=1e-3, high=1e-1, is_log=True)
BATCH = Panel(name="batch", low=-0.4, high=2.4, ticks=((0.0, "64"), (1.0, "96"), (2.0, "192")))
DOTS = (
    Dot(values=(1e-3, 0.0), outcome=3.0, tip="one"),
    Dot(values=(1e-2, 1.0), outcome=2.5, tip="two", colour="s1", stands_out=True),
    Dot(values=(1e-1, 2.0), outcome=2.8, tip="three"),
)


def circles(drawing, class_):
    found = re.findall(r"<circle [^>]*>", drawing)
    return [
        (float(re.search(r'cx="([\d.]+)"', one)[1]), float(re.search(r'cy="([\d.]+)"', one)[1]))
        for one in found
        if f'class="{class_}"' in one
    ]


@pytest.mark.parametrize("width", [720, 340])
def test_every_panel_has_every_dot_and_better_ones_lie_lower(width):
    drawing = draw("Outcomes", [RATE, BATCH], DOTS, width, rule=None)
    assert len(circles(drawing, "estimate other")) == 4
    assert len(circles(drawing, "estimate s1")) == 2
    (_, best), *_ = circles(drawing, "estimate s1")
    assert all(best > y for _, y in circles(drawing, "estimate other")[:2])


def test_a_logarithmic_axis_has_equal_steps_for_equal_ratios():
    drawing = draw("Outcomes", [RATE], DOTS, 340, rule=None)
    (first, _), (last, _) = circles(drawing, "estimate other")
    [(middle, _)] = circles(drawing, "estimate s1")
    assert middle - first == pytest.approx(last - middle, abs=0.2)


def test_panels_stand_in_two_columns_where_there_is_room():
    dots = [replace(dot, values=(*dot.values, dot.values[0])) for dot in DOTS]
    wide, narrow = (draw("Outcomes", [RATE, BATCH, RATE], dots, width, rule=None) for width in (720, 340))
    heights = [float(re.search(r'viewBox="0 0 \d+ ([\d.]+)"', one)[1]) for one in (wide, narrow)]
    assert heights[1] / heights[0] == pytest.approx(1.5)


def test_dots_without_an_outcome_lie_above_the_frame_hollow_or_crossed():
    dots = (*DOTS, Dot(values=(5e-3, 0.0), outcome=None, tip="pruned"))
    drawing = draw("Outcomes", [RATE], dots, 340, rule=None)
    [(_, pruned)] = circles(drawing, "estimate hollow other")
    assert pruned < min(y for _, y in circles(drawing, "estimate other"))
    lost = Dot(values=(5e-3, 0.0), outcome=None, tip="diverged", colour="diverged", is_lost=True)
    assert draw("Outcomes", [RATE], (*DOTS, lost), 340, rule=None).count("cut diverged") == 2


def test_an_outcome_far_beyond_the_others_is_a_triangle_at_the_edge():
    far = Dot(values=(2e-2, 0.0), outcome=30.0, tip="far")
    drawing = draw("Outcomes", [RATE], (*DOTS, far), 340, rule=None)
    assert drawing.count("<polygon") == 1
    assert len(circles(drawing, "estimate other")) == 2
    assert "<polygon" not in draw("Outcomes", [RATE], DOTS, 340, rule=None)


def test_the_rule_is_drawn_and_said_in_every_panel():
    drawing = draw("Outcomes", [RATE, BATCH], DOTS, 720, rule=2.9, rule_words="base")
    assert drawing.count('class="rule"') == 2
    assert drawing.count(">base</text>") == 2


def test_one_outcome_alone_can_be_drawn():
    drawing = draw("Outcomes", [RATE], DOTS[:1], 720, rule=None)
    assert "nan" not in drawing
    assert "inf" not in drawing
