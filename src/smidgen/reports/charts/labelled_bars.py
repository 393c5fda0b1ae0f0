"""Horizontal bars from zero under headings, each with its name: whole, or cut by what they are made of."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale

ROW_HEIGHT, THICKNESS = 22, 14
LABEL_HEIGHT = 18
HEADING_HEIGHT = 32


@dataclass(frozen=True, kw_only=True)
class Segment:
    """``colour`` is a class of the style sheet; ``tip`` is what the pointer reads off."""

    value: float
    colour: str = "own"
    tip: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """``words`` stand at the bar's end. Without segments it is a heading."""

    label: str
    segments: tuple[Segment, ...] = ()
    words: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def length(self) -> float:
        return sum(segment.value for segment in self.segments)

    @property
    def end(self) -> float:
        return max(self.length, self.high or 0.0)


def draw(title: str, rows: Sequence[Row], width: int) -> Markup:
    is_wide = width > 500
    beyond = 6.8 * max(len(row.words) for row in rows) + 12
    left = min(170.0, 7.0 * max(len(row.label) for row in rows if row.segments) + 14) if is_wide else 0.0
    across = Scale(0, max(row.end for row in rows) or 1, left, width - beyond)
    drawn, top = [], 0.0
    for row in rows:
        drawn.append(_row(row, across, top, width))
        top += _height(row, is_wide)
    return svg.drawing(title, width, top + 4, drawn, "labelled-bars")


def _height(row: Row, is_wide: bool) -> float:
    if not row.segments:
        return HEADING_HEIGHT
    return ROW_HEIGHT if is_wide else ROW_HEIGHT + LABEL_HEIGHT


def _row(row: Row, across: Scale, top: float, width: int) -> Markup:
    if not row.segments:
        return svg.label(0, top + HEADING_HEIGHT - 10, svg.shortened(row.label, width), class_="heading")
    is_wide = across.start > 0
    bar_top = top + (ROW_HEIGHT - THICKNESS) / 2 + (0 if is_wide else LABEL_HEIGHT)
    middle = bar_top + THICKNESS / 2
    label_y = middle + 4 if is_wide else top + 15
    parts = [svg.label(0, label_y, svg.shortened(row.label, across.start - 10 if is_wide else width), class_="label")]
    ends = list(itertools.accumulate((segment.value for segment in row.segments), initial=0.0))
    for segment, (start, end) in zip(row.segments, itertools.pairwise(ends), strict=True):
        parts.append(_segment(row, segment, across(start), across(end), bar_top))
    if row.low is not None and row.high is not None:
        low, high = across(row.low), across(row.high)
        parts.append(svg.line(low, middle, high, middle, "error"))
        parts += [svg.line(x, middle - 3, x, middle + 3, "error") for x in (low, high)]
    parts.append(svg.label(across(row.end) + 7, middle + 4, row.words, class_="value"))
    return svg.group(parts)


def _segment(row: Row, segment: Segment, start: float, end: float, top: float) -> Markup:
    # A line of background between neighbours keeps them apart without colour; the thinnest part stays visible.
    gap = 1.5 if len(row.segments) > 1 else 0.0
    drawn = svg.bar(start, top, max(0.75, end - start - gap), THICKNESS, f"bar {segment.colour}")
    return svg.group([drawn], class_="mark", data_tip=segment.tip or f"{row.label}\n{row.words}")
