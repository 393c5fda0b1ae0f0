"""The parameter budget as one bar, cut by part."""

import itertools

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale
from smidgen.reports.stored.design import StoredDesign

TITLE = "Parameters by part"


def draw(design: StoredDesign, width: int) -> Markup:
    across = Scale(0, max(1, design.total), 0, width)
    ends = list(itertools.accumulate(design.parts.values(), initial=0))
    segments = [
        _segment(part, number, across(start), across(end), svg.series(position), design.total)
        for position, ((part, number), (start, end)) in enumerate(
            zip(design.parts.items(), itertools.pairwise(ends), strict=True)
        )
    ]
    return svg.drawing(TITLE, width, 34, segments, "budget-bar")


def _segment(part: str, number: int, start: float, end: float, colour: str, total: int) -> Markup:
    tip = f"{part.replace('_', ' ')}: {words.exact(number)} parameters, {words.percent(number / total)}"
    # A line of background between neighbours keeps them apart without colour; the thinnest part stays visible.
    width = max(1.0, end - start - 2)
    return svg.group([svg.bar(start, 2, width, 30, f"bar {colour}")], class_="mark", data_tip=tip)
