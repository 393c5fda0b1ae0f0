"""How many equations come out right, by the number of digits."""

import re

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import line_panels
from smidgen.reports.charts.line_panels import Axis, Line, Panel, Point
from smidgen.reports.stored.scores import Score

TITLE = "Equations written out exactly, by the digits of their numbers, with 95% intervals"
TASK = "arithmetic-length"
# Room for the marks at 0 and 1.
BOUNDS = (-0.05, 1.05)
_PART = re.compile(r"(sums|differences|products) of (\d+) digits?")


def lines(scores: tuple[Score, ...]) -> list[Line]:
    """A line for each kind of equation, from short to long; none without the task."""
    points: dict[str, list[Point]] = {}
    for score in scores:
        found = _PART.fullmatch(score.part) if score.family == TASK else None
        if found:
            point = Point(at=int(found[2]), value=score.value, low=score.low, high=score.high)
            points.setdefault(found[1], []).append(point)
    return [
        Line(
            name=kind,
            points=tuple(sorted(found, key=lambda point: point.at)),
            colour=f"s{number}",
            end_words=_end_words(kind),
        )
        for number, (kind, found) in enumerate(points.items(), start=1)
    ]


def panels(scores: tuple[Score, ...]) -> list[Panel]:
    """Products apart: they are asked of fewer digits, and their line would end among the others."""
    drawn = lines(scores)
    pairs = [
        ("Sums and differences", [line for line in drawn if line.name != "products"], 150),
        ("Products", [line for line in drawn if line.name == "products"], 90),
    ]
    return [
        Panel(name=name, lines=tuple(chosen), number=words.percent, height=height, bounds=BOUNDS)
        for name, chosen, height in pairs
        if chosen
    ]


def _end_words(kind: str) -> str:
    return "" if kind == "products" else kind


def draw(scores: tuple[Score, ...], width: int) -> Markup:
    """For scores that ``lines`` finds something in."""
    last = max(point.at for line in lines(scores) for point in line.points)
    axis = Axis(
        title="digits",
        first=1.0,
        last=last,
        tick_words=lambda at: f"{at:g}",
        place_words=lambda at: f"{at:g} digit{'s' if at > 1 else ''}",
        is_kept=False,
    )
    return line_panels.draw(TITLE, panels(scores), width, axis)
