"""Several measurements of the same grid side by side: rows and columns are settings, a darker cell is worse."""

from dataclasses import dataclass

from markupsafe import Markup

from smidgen.reports.charts import svg

ROW, TOP, GAP, BOTTOM = 22.0, 46.0, 14.0, 8.0
LIGHTEST, DARKEST = 0.06, 0.92


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """``shade`` goes from 0 to 1; ``is_best`` draws a ring."""

    row: str
    column: str
    shade: float
    tip: str
    is_best: bool = False


@dataclass(frozen=True, kw_only=True)
class HeatPanel:
    """One measurement. ``worst`` says what the darkest cell stands for."""

    title: str
    worst: str
    cells: tuple[HeatCell, ...]


def draw(title: str, panels: list[HeatPanel], rows: list[str], columns: list[str], width: int) -> Markup:
    """On a desk all panels share the labels of the rows, on a phone they stand one under the other."""
    is_wide = width > 500
    left = 172.0 if is_wide else 160.0
    abreast = len(panels) if is_wide else 1
    across = (width - left - GAP * (abreast - 1)) / abreast
    height = TOP + ROW * len(rows) + BOTTOM
    parts: list[Markup] = []
    for number, panel in enumerate(panels):
        x = left + (across + GAP) * (number % abreast)
        y = height * (number // abreast)
        if number % abreast == 0:
            parts += [
                svg.label(0, _middle(y, row) + 4, svg.shortened(rows[row], left - 8)) for row in range(len(rows))
            ]
        parts += _panel(panel, rows, columns, x, y, across)
    return svg.drawing(title, width, height * -(-len(panels) // abreast), parts, "heat-map")


def _panel(panel: HeatPanel, rows: list[str], columns: list[str], x: float, y: float, across: float) -> list[Markup]:
    column = across / len(columns)
    places = {name: x + column * (number + 0.5) for number, name in enumerate(columns)}
    labels = [svg.label(places[name], y + TOP - 7, name, anchor="middle", class_="quiet") for name in columns]
    heading = svg.label(x, y + 13, svg.shortened(panel.title, across + GAP), class_="heading")
    note = svg.label(x, y + 27, svg.shortened(panel.worst, across + GAP), class_="quiet")
    cells = [_cell(cell, places[cell.column], _middle(y, rows.index(cell.row)), column) for cell in panel.cells]
    return [heading, note, *labels, *cells]


def _cell(cell: HeatCell, x: float, y: float, column: float) -> Markup:
    opacity = LIGHTEST + (DARKEST - LIGHTEST) * min(1.0, max(0.0, cell.shade))
    area = svg.element(
        "rect",
        x=x - column / 2 + 0.5,
        y=y - ROW / 2 + 0.5,
        width=column - 1,
        height=ROW - 1,
        fill_opacity=f"{opacity:.3f}",
        class_="cell",
    )
    ring = [svg.element("circle", cx=x, cy=y, r=5, class_="best")] if cell.is_best else []
    return svg.group([area, *ring], class_="mark", data_tip=cell.tip)


def _middle(y: float, row: int) -> float:
    return y + TOP + ROW * (row + 0.5)
