"""Charts of how the trials went: the difference to the base, the last third, and the whole run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter

from smidgen.reports.ablation import quantity
from smidgen.reports.ablation.course import (
    RUNNING,
    SLACK,
    Courses,
    Curve,
    SeedCourse,
    alone,
    difference,
    mean,
    without_range,
)
from smidgen.reports.ablation.palette import colours
from smidgen.reports.ablation.result import BASE, BITS, HALVED, Result
from smidgen.reports.charts import forest_plot, line_panels
from smidgen.reports.charts.line_panels import Axis, Line, Panel, Point
from smidgen.reports.charts.scale import room_around
from smidgen.reports.page import NARROW, WIDE, Chart

LAST_PART = 2 / 3
# Differences at the beginning, when every run falls fast, would set the scale for all the rest.
SETTLED = 0.3
# A variant within this share of the base's end is shown in the same frame (assumed).
NEAR = 0.04
# Seeds move all variants alike: the bands of many would be one, and hide the lines. Then only the base has one.
MOST_BANDS = 2
# Differences at the end that are smaller, in bits per byte or nats per token, are all shown in one frame (assumed).
LEAST_REACH = 0.03
QUIET, SINGLE_OPACITY = 0.45, 0.7
# Losses of variants with another text or vocabulary are in other units: their tokens are others.
_OTHER_TOKENS = ("tokenizer", "data", "design.vocab_size")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is measured over a run: its words, and where a trial's course holds it."""

    title: str
    short: str
    of: Callable[[SeedCourse], Curve]


LOSS = Measured(title="Training loss, nats per token", short="Training loss", of=attrgetter("loss"))
HELD_OUT = Measured(title="Held-out text, bits per byte", short="Held-out bits per byte", of=attrgetter("held_out"))


@dataclass(frozen=True, kw_only=True)
class CurveChart:
    """``beyond`` names variants whose curves lie outside the frame."""

    chart: Chart
    beyond: tuple[str, ...] = ()


def curve_charts(result: Result, courses: Courses) -> dict[str, CurveChart]:
    """By name, those for which something was measured."""
    drawn = {
        "difference": _differences(result, courses),
        "last": _course(result, courses, "over the last third of training", first=LAST_PART),
        "whole": _course(result, courses, "over training", first=0.0),
    }
    return {name: chart for name, chart in drawn.items() if chart}


def other_tokens(result: Result) -> list[str]:
    """Variants whose training loss cannot be compared with the base's."""
    return [
        variant.name
        for variant in result.variants
        if any(key == start or key.startswith(f"{start}.") for key in variant.settings for start in _OTHER_TOKENS)
    ]


def _differences(result: Result, courses: Courses) -> CurveChart | None:
    panels = [
        _difference_panel(result, courses, HELD_OUT, leave_out=[]),
        _difference_panel(result, courses, LOSS, leave_out=other_tokens(result)),
    ]
    return _drawn(result, "Difference to the base over training, seed by seed", panels, first=0.0)


def _difference_panel(result: Result, courses: Courses, measured: Measured, leave_out: list[str]) -> Panel | None:
    lines = []
    for name in _in_drawing_order(result):
        pairs = [(measured.of(own), measured.of(base)) for own, base in courses.pairs(name) if name not in leave_out]
        if points := difference(pairs):
            ending = f"{quantity.signed_words(BITS, points[-1].value)} {name}"
            lines.append(_line(result, name, points, ending, is_cut=_is_halved(courses, name)))
    if not lines:
        return None
    return Panel(
        name=f"{measured.short} less the base\u2019s",
        lines=tuple(lines),
        number=lambda value: quantity.signed_words(BITS, value),
        height=200,
        rule=0.0,
        bounds=_difference_bounds(lines, SETTLED * span(result)),
    )


def _difference_bounds(lines: Sequence[Line], settled: float) -> tuple[float, float]:
    """Of the settled part, and only of variants that do not end so far off that they would dwarf the others."""
    lines = _foreground(lines)
    ends = [abs(line.points[-1].value) for line in lines]
    reach = max(forest_plot.reach(ends), LEAST_REACH)
    near = [line for line, end in zip(lines, ends, strict=True) if end <= reach]
    return room_around([0.0, *chain.from_iterable(_values(line, settled) or _values(line) for line in near)])


def _course(result: Result, courses: Courses, part: str, first: float) -> CurveChart | None:
    panels = [_course_panel(result, courses, measured, first) for measured in (HELD_OUT, LOSS)]
    return _drawn(result, f"Held-out bits per byte and training loss {part}", panels, first)


def _course_panel(result: Result, courses: Courses, measured: Measured, first: float) -> Panel | None:
    """The mean of the seeds that went all the way, and each other seed by itself."""
    whole, broken = [], []
    for name in [*_in_drawing_order(result), BASE]:
        points = mean([measured.of(one) for one in courses.whole(name)])
        if name != BASE and len(result.variants) > MOST_BANDS:
            points = without_range(points)
        ending = f"{points[-1].value:.4f} {name}" if points else ""
        whole.append(_line(result, name, points, ending, is_cut=_is_halved(courses, name)))
        broken += [
            replace(
                _line(result, name, alone(measured.of(one)), ending="", is_cut=one.state != RUNNING),
                name=f"{name}, seed {one.seed}",
                opacity=SINGLE_OPACITY,
            )
            for one in courses.broken(name)
        ]
    lines = [_from(line, first * span(result)) for line in (*broken, *whole)]
    drawn = [line for line in lines if line.points]
    if not drawn:
        return None
    complete = [line for line in drawn if not line.is_cut] or drawn
    return Panel(
        name=measured.title,
        lines=tuple(drawn),
        number="{:.4f}".format,
        height=170,
        bounds=_course_bounds(complete),
    )


def _course_bounds(lines: Sequence[Line]) -> tuple[float, float]:
    """Of the base, which is the last, and of those that end near it."""
    lines = _foreground(lines)
    end = lines[-1].points[-1].value
    distances = [abs(line.points[-1].value - end) for line in lines]
    reach = max(NEAR * abs(end), forest_plot.reach(distances[:-1]))
    near = [line for line, distance in zip(lines, distances, strict=True) if distance <= reach]
    return room_around([value for line in near for value in _values(line)])


def _foreground(lines: Sequence[Line]) -> Sequence[Line]:
    return [line for line in lines if not line.is_background] or lines


def _drawn(result: Result, title: str, panels: Sequence[Panel | None], first: float) -> CurveChart | None:
    found = [panel for panel in panels if panel]
    if not found:
        return None
    axis = _axis(result, first)
    chart = Chart(*(line_panels.draw(title, found, width, axis) for width in (WIDE, NARROW)))
    beyond = [line.name for panel in found for line in panel.lines if not line.is_cut and _is_outside(line, panel)]
    return CurveChart(chart=chart, beyond=tuple(dict.fromkeys(beyond)))


def _is_outside(line: Line, panel: Panel) -> bool:
    low, high = panel.limits
    return not any(low <= point.value <= high for point in line.points)


def _line(result: Result, name: str, points: tuple[Point, ...], ending: str, *, is_cut: bool) -> Line:
    """Places become tokens, or percent of the run. In the background a variant has neither range nor name."""
    colour = colours(result).get(name)
    whole = span(result)
    placed = tuple(replace(point, at=point.at * whole) for point in points)
    if colour is None:
        return Line(
            name=name, points=without_range(placed), colour="other", opacity=QUIET, is_cut=is_cut, is_background=True
        )
    reaches_end = bool(placed) and placed[-1].at >= (1 - SLACK) * whole
    return Line(name=name, points=placed, colour=colour, end_words=ending if reaches_end else "", is_cut=is_cut)


def _from(line: Line, first: float) -> Line:
    return replace(line, points=tuple(point for point in line.points if point.at >= first))


def _is_halved(courses: Courses, name: str) -> bool:
    return any(one.state == HALVED for one in courses.whole(name))


def _in_drawing_order(result: Result) -> list[str]:
    """What stands out lies above the rest."""
    known = colours(result)
    return sorted((variant.name for variant in result.variants), key=lambda name: name in known)


def _values(line: Line, first: float = 0.0) -> list[float]:
    within = [point for point in line.points if point.at >= first]
    return [value for point in within for value in (point.low, point.value, point.high) if value is not None]


def span(result: Result) -> float:
    """The whole run in the unit of the axis: tokens where these are held equal, else percent."""
    return result.held_tokens or 100.0


def _axis(result: Result, first: float) -> Axis:
    last = span(result)
    if result.held_tokens:
        return Axis(first=first * last, last=last)
    return Axis(
        title="share of the run\u2019s tokens",
        first=first * last,
        last=last,
        tick_words="{:.0f}%".format,
        place_words="{:.0f}% of the run".format,
    )
