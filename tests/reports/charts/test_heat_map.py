import re

from smidgen.reports.charts.heat_map import DARKEST, LIGHTEST, HeatCell, HeatPanel, draw

ROWS, COLUMNS = ["plain", "penalty 1.1", "a name that is far too long for the place that it has"], ["0", "0.5"]


def panel(title, shade=0.5):
    cells = [HeatCell(row=row, column=column, shade=shade, tip="x") for row in ROWS for column in COLUMNS]
    return HeatPanel(title=title, worst="darkest 5%", cells=tuple(cells))


def drawn(width, **options):
    return draw("Title", [panel("one", **options), panel("two", **options)], ROWS, COLUMNS, width)


def places(drawing):
    """Left, top, width and height of every cell."""
    found = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', drawing)
    return [tuple(map(float, each)) for each in found]


def test_no_cell_lies_over_another_or_outside():
    for width in (720, 340):
        drawing = drawn(width)
        height = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', drawing)[1])
        cells = places(drawing)
        assert len(cells) == 12
        for number, (x, y, w, h) in enumerate(cells):
            assert 0 <= x <= x + w <= width
            assert 0 <= y <= y + h <= height
            for ox, oy, ow, oh in cells[:number]:
                assert x >= ox + ow or ox >= x + w or y >= oy + oh or oy >= y + h


def test_panels_stand_abreast_on_a_desk_and_one_under_the_other_on_a_phone():
    wide, narrow = places(drawn(720)), places(drawn(340))
    assert wide[0][1] == wide[6][1]
    assert wide[0][0] < wide[6][0]
    assert narrow[0][0] == narrow[6][0]
    assert narrow[0][1] < narrow[6][1]


def test_rows_are_named_once_for_all_panels_that_stand_abreast():
    assert drawn(720).count("penalty 1.1") == 1
    assert drawn(340).count("penalty 1.1") == 2
    assert "…" in drawn(340)


def test_shades_stay_between_the_lightest_and_the_darkest():
    for shade, expected in ((0.0, LIGHTEST), (1.0, DARKEST), (7.0, DARKEST), (-1.0, LIGHTEST)):
        assert set(re.findall(r'fill-opacity="([\d.]+)"', drawn(720, shade=shade))) == {f"{expected:.3f}"}
