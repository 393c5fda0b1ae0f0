"""Width against depth: how good the best shape of each is, the best width of each depth, and published models."""

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale
from smidgen.reports.solving.space import Cell, Landmark, Space

TITLE = "Score by depth and width"
LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 26.0, 40.0
LOWEST_ROW, HIGHEST_ROW, MOST_HEIGHT = 11.0, 24.0, 460.0
# A label for each so many pixels.
LABEL_EVERY = 26.0


def draw(space: Space, width: int) -> Markup:
    """Rows are the widths that there are, evenly spaced, the widest on top."""
    widths, depths = space.widths, space.depths
    row = max(LOWEST_ROW, min(HIGHEST_ROW, MOST_HEIGHT / len(widths)))
    bottom = TOP + row * len(widths)
    across = Scale(depths[0] - 0.5, depths[-1] + 0.5, LEFT, width - RIGHT)
    rows = {one: bottom - row * (number + 0.5) for number, one in enumerate(widths)}
    column = (across.end - across.start) / len(depths)
    cells = [_cell(space, cell, across(cell.num_layers), rows[cell.hidden_size], column, row) for cell in space.cells]
    frontier = [(across(cell.num_layers), rows[cell.hidden_size]) for cell in space.frontier]
    best = space.best
    parts = [
        *_axes(space, across, rows, bottom, column, row),
        *cells,
        svg.polyline(frontier, "frontier"),
        svg.element("circle", cx=across(best.num_layers), cy=rows[best.hidden_size], r=5, class_="best"),
        *(_landmark(one, across(one.num_layers), rows[one.hidden_size], number) for number, one in _numbered(space)),
    ]
    return svg.drawing(TITLE, width, bottom + BOTTOM, parts, "design-space")


def _numbered(space: Space) -> list[tuple[int, Landmark]]:
    return list(enumerate(space.landmarks, start=1))


def _cell(space: Space, cell: Cell, x: float, y: float, column: float, row: float) -> Markup:
    tip = f"{cell.num_layers} layers of {cell.hidden_size}\n{cell.score:.2f}% of the loss"
    shade = f"cell shade{space.shade(cell)}"
    area = svg.bar(x - column / 2 + 0.5, y - row / 2 + 0.5, column - 1, row - 1, shade)
    return svg.group([area], class_="mark", data_tip=tip)


def _landmark(one: Landmark, x: float, y: float, number: int) -> Markup:
    tip = f"{one.name}: {one.num_layers} layers of {one.hidden_size}, {words.count(one.parameters)} parameters"
    mark = svg.element("circle", cx=x, cy=y, r=7, class_="landmark")
    return svg.group(
        [mark, svg.label(x, y + 4, str(number), anchor="middle", class_="number")], class_="mark", data_tip=tip
    )


def _axes(
    space: Space, across: Scale, rows: dict[int, float], bottom: float, column: float, row: float
) -> list[Markup]:
    some_widths = space.widths[:: max(1, round(LABEL_EVERY / row))]
    some_depths = space.depths[:: max(1, round(LABEL_EVERY / column))]
    return [
        svg.label(0, 12, "width (hidden size)", class_="quiet"),
        *(svg.label(LEFT - 8, rows[one] + 4, str(one), anchor="end", class_="quiet") for one in some_widths),
        *(svg.label(across(one), bottom + 17, str(one), anchor="middle", class_="quiet") for one in some_depths),
        svg.label(across.end, bottom + 34, "depth (layers)", anchor="end", class_="quiet"),
    ]
