import itertools
import re

import pytest

from smidgen.reports.charts.labelled_bars import Row, Segment, draw


def bars(drawing):
    """Left edge and width of each bar."""
    return [
        (float(x), float(width))
        for x, width in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawing)
    ]


def row(label, *values, **options):
    return Row(
        label=label,
        segments=tuple(Segment(value=value, colour=f"s{n}") for n, value in enumerate(values, 1)),
        **options,
    )


@pytest.mark.parametrize("width", [720, 340])
def test_bars_are_as_long_as_their_values(width):
    (first_x, first), (second_x, second) = bars(
        draw("t", [row("a", 4.0, words="4"), row("b", 1.0, words="1")], width)
    )
    assert first_x == second_x
    assert first == pytest.approx(4 * second, rel=0.01)
    assert first_x + first < width


def test_segments_follow_each_other():
    drawn = bars(draw("t", [row("a", 1.0, 2.0, 1.0, words="4")], 720))
    assert len(drawn) == 3
    for (x, width), (after, _) in itertools.pairwise(drawn):
        assert x + width < after <= x + width + 2


def test_names_and_words_are_escaped_and_headings_have_no_bar():
    drawn = draw("t", [Row(label="<h>"), row("<b>", 1.0, words="<1>")], 720)
    assert "&lt;h&gt;" in drawn
    assert "&lt;b&gt;" in drawn
    assert "&lt;1&gt;" in drawn
    assert len(bars(drawn)) == 1


def test_an_interval_is_drawn_within_the_chart():
    drawn = draw("t", [row("a", 2.0, words="2.00", low=1.5, high=2.5)], 720)
    ends = [float(x) for x in re.findall(r'x2="([\d.]+)"', drawn)]
    assert len(ends) == 3
    assert max(ends) < 720 - 12
    assert bars(drawn)[0][1] < max(ends)


def test_values_of_nothing_draw():
    assert "labelled-bars" in draw("t", [row("a", 0.0, words="0")], 340)
