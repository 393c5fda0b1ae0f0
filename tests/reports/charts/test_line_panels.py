import itertools
import re
import xml.etree.ElementTree as ElementTree

from smidgen.reports.charts.line_panels import MOST_POINTS, Axis, Line, Panel, Point, draw, points


def panel(*lines, **options):
    return Panel(name="Loss", lines=lines, number="{:.2f}".format, **options)


def test_few_points_stay_as_they_are():
    assert points([(1.0, 3.0), (2.0, None), (3.0, 1.0)]) == (
        Point(at=1.0, value=3.0),
        Point(at=3.0, value=1.0),
    )


def test_many_points_are_put_together_without_losing_a_spike():
    values = [(float(number), 100.0 if number == 4321 else number / 10_000) for number in range(10_000)]
    thinned = points(values)
    assert len(thinned) <= MOST_POINTS
    assert max(point.high for point in thinned) == 100.0
    assert min(point.low for point in thinned) == 0.0
    assert thinned[-1].at == 9999.0


def test_a_panel_holds_all_values_ranges_and_its_rule():
    line = Line(name="acc", points=(Point(at=1, value=0.5, low=0.3, high=0.9),))
    low, high = panel(line, rule=0.1).limits
    assert low < 0.1
    assert high > 0.9
    assert panel(line, is_from_zero=True).limits[0] == 0.0


def test_drawings_are_valid_from_one_point_on():
    for count in (1, 2, 7, 1000):
        lines = [
            Line(name=name, points=points([(number * 10.0, number + offset) for number in range(1, count + 1)]))
            for name, offset in (("first", 0.0), ("second", 0.5))
        ]
        tree = ElementTree.fromstring(draw("Two lines", [panel(*lines), panel(lines[0])], 340.0))
        assert tree.find("title").text == "Two lines"
        assert not re.search(r"\b(nan|inf)\b", ElementTree.tostring(tree, encoding="unicode"))


def test_values_are_read_off_every_line_at_the_newest_measurement_before():
    often = Line(name="often", points=points([(1.0, 5.0), (2.0, 6.0), (3.0, 7.0)]))
    seldom = Line(name="seldom", points=points([(2.0, 1.5)]))
    tips = re.findall(r'data-tip="([^"]*)"', draw("Both", [panel(often, seldom)], 340.0))
    assert tips == [
        "1 tokens&#10;often 5.00",
        "2 tokens&#10;often 6.00&#10;seldom 1.50",
        "3 tokens&#10;often 7.00&#10;seldom 1.50",
    ]


def test_a_single_interval_is_drawn_as_a_whisker():
    line = Line(name="acc", points=(Point(at=1, value=0.5, low=0.3, high=0.9),))
    assert 'class="whisker"' in draw("One", [panel(line)], 340.0)


def test_what_lies_beyond_the_bounds_is_cut_off():
    line = Line(name="x", points=points([(1.0, 5.0), (2.0, 500.0)]), is_cut=True)
    bounded = panel(line, line, bounds=(0.0, 10.0))
    assert bounded.limits == (0.0, 10.0)
    tree = ElementTree.fromstring(draw("Cut", [bounded], 340.0))
    (inner,) = [node for node in tree.iter() if node.tag == "svg" and node is not tree]
    top, bottom = float(inner.get("y")), float(inner.get("y")) + float(inner.get("height"))
    crosses = [node for node in tree.iter("line") if (node.get("class") or "").startswith("cut")]
    assert len(crosses) == 4
    assert all(top - 5 <= float(node.get(key)) <= bottom + 5 for node in crosses for key in ("y1", "y2"))


def test_a_line_that_was_cut_is_not_read_off_after_its_end():
    whole = Line(name="whole", points=points([(1.0, 5.0), (2.0, 6.0), (3.0, 7.0)]))
    cut = Line(name="cut", points=points([(1.0, 1.5)]), is_cut=True)
    hidden = Line(name="hidden", points=points([(1.0, 1.5)]), is_background=True)
    tips = re.findall(r'data-tip="([^"]*)"', draw("Both", [panel(whole, cut, hidden)], 340.0))
    assert tips == ["1 tokens&#10;whole 5.00&#10;cut 1.50", "2 tokens&#10;whole 6.00", "3 tokens&#10;whole 7.00"]


def test_words_at_the_ends_of_lines_keep_their_order_and_a_distance():
    lines = [
        Line(name=str(number), points=points([(1.0, 1.0), (2.0, 3.0 + 0.001 * number)]), end_words=f"end {number}")
        for number in range(4)
    ]
    tree = ElementTree.fromstring(draw("Ends", [panel(*lines)], 720.0))
    places = {node.text: float(node.get("y")) for node in tree.iter("text") if (node.text or "").startswith("end ")}
    assert sorted(places, key=places.get) == ["end 3", "end 2", "end 1", "end 0"]
    heights = sorted(places.values())
    assert all(b - a >= 12 for a, b in itertools.pairwise(heights))
    assert "end 1" not in draw("Ends", [panel(*lines)], 340.0)


def test_an_axis_may_begin_late_and_speak_of_something_else():
    axis = Axis(title="share", first=50.0, last=100.0, tick_words="{:.0f}%".format, place_words="at {:.0f}%".format)
    drawn = draw("Late", [panel(Line(name="x", points=points([(50.0, 1.0), (100.0, 2.0)])))], 340.0, axis)
    assert ">share<" in drawn
    assert ">100%<" in drawn
    assert "at 50%" in drawn
    assert ">0%<" not in drawn
