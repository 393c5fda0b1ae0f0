import xml.etree.ElementTree as ElementTree

from smidgen.reports.charts.mixture_chart import draw, heaps, sources, table_rows
from smidgen.reports.stored.data import MixturePoint


def point(tokens, planned, realised=None):
    return MixturePoint(tokens=tokens, planned=planned, realised=realised or {})


MIXTURE = (
    point(10, {"a": 0.7, "b": 0.3}, {"a": 0.6, "b": 0.4}),
    point(20, {"a": 0.5, "b": 0.5}, {"b": 0.5, "c": 0.5}),
    point(30, {"a": 0.2, "b": 0.8}),
)


def test_every_source_is_drawn_even_if_it_was_not_planned():
    assert sources(MIXTURE) == ["a", "b", "c"]
    assert len(ElementTree.fromstring(draw(MIXTURE, 720)).findall("polygon")) == 3


def test_shares_are_stacked_in_the_order_of_the_sources():
    assert heaps(MIXTURE, "realised") == [(10, [0, 0.6, 1.0, 1.0]), (20, [0, 0.0, 0.5, 1.0])]


def test_what_is_not_trained_yet_has_lines_but_no_areas():
    chart = ElementTree.fromstring(draw(tuple(point(n, {"a": 0.7, "b": 0.3}) for n in (10, 20)), 720))
    assert chart.findall("polygon") == []
    assert [node.get("class") for node in chart.findall("polyline")] == ["planned"]
    tips = [node.get("data-tip") for node in chart.iter() if node.get("data-tip")]
    assert tips[0] == "10 tokens\na: planned 70.0%\nb: planned 30.0%"


def test_a_single_point_can_be_drawn():
    ElementTree.fromstring(draw(MIXTURE[:1], 340))


def test_tables_of_long_runs_keep_the_first_and_the_last_row():
    rows = table_rows(tuple(point(n, {"a": 1.0}) for n in range(61)))
    assert len(rows) == 13
    assert (rows[0].tokens, rows[-1].tokens) == (0, 60)
