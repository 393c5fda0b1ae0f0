"""Estimates with 95% intervals, row under row: differences around zero, or the scores of several models."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale

ROW_HEIGHT = 24
NEXT_ESTIMATE = 13
LABEL_HEIGHT = 18
NOTE_HEIGHT = 15
# A row is left out of the scale when it reaches so many times further than a typical one, whose interval could no
# longer be read beside it (assumed).
MOST_REACH = 6


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """``colour`` is a class of the style sheet; a hollow mark says that the interval holds no news."""

    value: float
    low: float | None = None
    high: float | None = None
    colour: str = "own"
    is_hollow: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """``words`` stand at the end of the row, a ``note`` in its colour below the label; ``chance`` is a tick across.

    ``dots`` are the single observations behind the first estimate. Without estimates and words it is a heading.
    """

    label: str
    estimates: tuple[Estimate, ...] = ()
    words: str = ""
    tip: str = ""
    chance: float | None = None
    dots: tuple[float, ...] = ()
    note: str = ""
    note_colour: str = "other"

    @property
    def is_heading(self) -> bool:
        return not self.estimates and not self.words


@dataclass(frozen=True, kw_only=True)
class Axis:
    """``zero`` is drawn as a line through all rows, with what lies on either side of it written above.

    Marks beyond ``low`` and ``high`` become arrows at the edge. ``band`` is a range shaded behind all rows.
    """

    low: float
    high: float
    tick_words: Callable[[float], str]
    zero: float | None = None
    left_words: str = ""
    right_words: str = ""
    band: tuple[float, float] | None = None


def reach(extents: Sequence[float]) -> float:
    """How far from zero an axis must go for these extents, the few that dwarf the others aside; 0 without any."""
    typical = sorted(extents)[(len(extents) - 1) // 2] if extents else 0.0
    return max((extent for extent in extents if extent <= MOST_REACH * typical), default=0.0)


def limits(rows: Sequence[Row], *others: float) -> tuple[float, float]:
    """A little more than all estimates, intervals, ticks and ``others`` need."""
    marks = [mark for row in rows for one in row.estimates for mark in (one.value, one.low, one.high)]
    values = [value for value in (*marks, *(row.chance for row in rows), *others) if value is not None]
    low, high = min(values), max(values)
    room = 0.04 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def draw(title: str, rows: Sequence[Row], axis: Axis, width: int) -> Markup:
    is_wide = width > 500
    longest = max(len(row.words) for row in rows)
    left, right = (205.0, width - 6.4 * longest - 14) if is_wide else (6.0, width - 8.0)
    across = Scale(axis.low, axis.high, left, right)
    top = start = 22.0 if axis.left_words or axis.right_words else 4.0
    drawn = []
    for row in rows:
        drawn.append(_row(row, across, top, width))
        top += _height(row, is_wide)
    return svg.drawing(title, width, top + 24, [*_frame(axis, across, start, top), *drawn], "forest-plot")


def _height(row: Row, is_wide: bool) -> float:
    if row.is_heading:
        return 34
    above = (NOTE_HEIGHT if row.note else 0) + (0 if is_wide else LABEL_HEIGHT)
    return ROW_HEIGHT + NEXT_ESTIMATE * (max(1, len(row.estimates)) - 1) + above


def _row(row: Row, across: Scale, top: float, width: int) -> Markup:
    is_wide = width > 500
    if row.is_heading:
        return svg.label(0, top + 24, svg.shortened(row.label, width), class_="heading")
    height = _height(row, is_wide)
    note_height = NOTE_HEIGHT if row.note else 0
    first = top + 12 + (note_height / 2 if is_wide else LABEL_HEIGHT + note_height)
    text_y = top + height / 2 + 4 if is_wide else top + 16
    label_y = text_y - note_height / 2 if is_wide else text_y
    room = 195 if is_wide else width - 7.2 * len(row.words) - 24
    parts = [
        svg.bar(0, top, width, height, "catch row"),
        svg.label(0, label_y, svg.shortened(row.label, room), class_="label"),
        svg.label(width, text_y, row.words, anchor="end", class_="value"),
    ]
    if row.note:
        parts.append(svg.label(0, label_y + NOTE_HEIGHT, row.note, class_=f"note {row.note_colour}"))
    if row.chance is not None:
        parts.append(svg.line(across(row.chance), first - 9, across(row.chance), top + height - 3, "chance"))
    inside = [dot for dot in row.dots if across.low <= dot <= across.high]
    parts += [svg.element("circle", cx=across(dot), cy=first + 7, r=1.7, class_="seed") for dot in inside]
    for number, estimate in enumerate(row.estimates):
        parts += _marks(estimate, across, first + number * NEXT_ESTIMATE)
    return svg.group(parts, class_="mark", data_tip=row.tip or f"{row.label}\n{row.words}".strip())


def _marks(estimate: Estimate, across: Scale, y: float) -> list[Markup]:
    marks = []
    if estimate.low is not None and estimate.high is not None:
        start, end = (across(across.within(value)) for value in (estimate.low, estimate.high))
        marks.append(svg.line(start, y, end, y, f"interval {estimate.colour}"))
    kind = f"{'estimate hollow' if estimate.is_hollow else 'estimate'} {estimate.colour}"
    x = across(across.within(estimate.value))
    if across.low <= estimate.value <= across.high:
        return [*marks, svg.element("circle", cx=x, cy=y, r=4.2, class_=kind)]
    base = x + (-8 if estimate.value > across.high else 8)
    return [*marks, svg.polygon([(x, y), (base, y - 5), (base, y + 5)], kind)]


def _frame(axis: Axis, across: Scale, start: float, end: float) -> list[Markup]:
    ticks = across.ticks(5 if across.end - across.start > 300 else 4)
    parts = []
    if axis.band:
        low, high = (across(across.within(value)) for value in axis.band)
        parts.append(svg.bar(low, start, high - low, end - start, "noise"))
    parts += [svg.line(across(tick), start, across(tick), end, "grid") for tick in ticks]
    parts += [
        svg.label(across(tick), end + 17, axis.tick_words(tick), anchor="middle", class_="quiet") for tick in ticks
    ]
    if axis.zero is not None:
        parts.append(svg.line(across(axis.zero), start, across(axis.zero), end, "zero"))
    # Flush with the frame, so that long names of models never meet in the middle.
    room = (across.end - across.start) / 2 - 6
    left, right = svg.shortened(axis.left_words, room), svg.shortened(axis.right_words, room)
    return [
        *parts,
        svg.label(across.start, 12, left, class_="quiet"),
        svg.label(across.end, 12, right, anchor="end", class_="quiet"),
    ]
