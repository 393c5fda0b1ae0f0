"""Quantities over the course of training, one panel under the other, each with one or several lines."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale, decimals_of, room_around

# More points than this are no longer told apart on a screen: groups are drawn as their mean in their range.
MOST_POINTS = 300
# Where values can be read off.
MOST_STOPS = 90
# Of more lines only the lines are shown: the marks on them would run together.
MOST_MARKED_LINES = 4
LEFT, RIGHT, TOP, GAP = 46.0, 48.0, 26.0, 44.0
# Of words at the ends of lines.
LEAST_MARGIN, MOST_MARGIN, LINE_HEIGHT = 14.0, 150.0, 13.0


@dataclass(frozen=True, kw_only=True)
class Point:
    """A value at a place on the axis, usually a number of trained tokens, within a range where one is known."""

    at: float
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """``colour`` is a class of the style sheet; ``opacity`` sets many lines of one colour apart.

    ``end_words`` stand at its end where the drawing is wide. One that ``is_cut`` ended before its time and gets a
    cross there; one in the ``background`` is never read off.
    """

    name: str
    points: tuple[Point, ...]
    colour: str = "s1"
    opacity: float | None = None
    end_words: str = ""
    is_cut: bool = False
    is_background: bool = False

    def last_before(self, at: float) -> Point | None:
        """``None`` before the first point, and after the last one of a line that was cut."""
        index = bisect_right(self.points, at, key=lambda point: point.at)
        is_over = self.is_cut and index == len(self.points) and at > self.points[-1].at
        return self.points[index - 1] if index and not is_over else None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One quantity. ``number`` writes its values; ``rule`` is a value to be held against, such as chance.

    ``bounds`` replace the limits that would show everything: what lies beyond them is cut off.
    """

    name: str
    lines: tuple[Line, ...]
    number: Callable[[float], str]
    height: float = 110
    is_from_zero: bool = False
    rule: float | None = None
    bounds: tuple[float, float] | None = None

    @property
    def limits(self) -> tuple[float, float]:
        if self.bounds:
            return self.bounds
        drawn = [point for line in self.lines for point in line.points]
        values = [value for point in drawn for value in (point.low, point.value, point.high)] + [self.rule]
        known = [value for value in values if value is not None]
        low, high = room_around(known)
        return (0.0, max(known) * 1.1 or 1.0) if self.is_from_zero else (low, high)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What the panels share: title, where it begins and ends (else at the last point), and how places are said.

    What was measured at a place ``is_kept`` until the next one, or tells of that place alone.
    """

    title: str = "trained tokens"
    first: float = 0.0
    last: float | None = None
    tick_words: Callable[[float], str] = words.count
    place_words: Callable[[float], str] = lambda at: f"{words.count(at)} tokens"
    is_kept: bool = True


def points(pairs: Sequence[tuple[float, float | None]]) -> tuple[Point, ...]:
    """At most ``MOST_POINTS``; what had to be put together keeps its smallest and its largest value as a range."""
    known = [(at, value) for at, value in pairs if value is not None]
    size = -(-len(known) // MOST_POINTS) or 1
    groups = [known[start : start + size] for start in range(0, len(known), size)]
    return tuple(_point(group) for group in groups)


def draw(title: str, panels: Sequence[Panel], width: float, axis: Axis | None = None) -> Markup:
    """Panels share the axis, by default that of tokens; at least one line of each has a point."""
    axis = axis or Axis()
    is_wide = width > 500
    most = axis.last or max(line.points[-1].at for panel in panels for line in panel.lines if line.points)
    across = Scale(axis.first, max(axis.first + 1.0, most), LEFT, width - _margin(panels, is_wide))
    parts: list[Markup] = []
    places: list[tuple[Panel, Scale]] = []
    top = TOP
    for panel in panels:
        down = Scale(*panel.limits, top + panel.height, top)
        parts += [*_frame(panel, across, down), *_curves(panel, across, down)]
        parts += _end_words(panel, across, down) if is_wide else []
        places.append((panel, down))
        top += panel.height + GAP
    bottom = top - GAP
    parts += token_axis(across, bottom, wanted=6 if is_wide else 4, axis=axis)
    parts += _stops(places, across, bottom, axis)
    return svg.drawing(title, width, bottom + 36, parts, "line-panels")


def token_axis(across: Scale, bottom: float, wanted: int, axis: Axis | None = None) -> list[Markup]:
    axis = axis or Axis()
    ticks = across.ticks(wanted)
    return [
        svg.line(across.start, bottom, across.end, bottom, "axis"),
        *(
            svg.label(across(tick), bottom + 17, axis.tick_words(tick), anchor="middle", class_="quiet")
            for tick in ticks
        ),
        svg.label(across.end, bottom + 33, axis.title, anchor="end", class_="quiet"),
    ]


def _point(group: list[tuple[float, float]]) -> Point:
    values = [value for _, value in group]
    if len(group) == 1:
        return Point(at=group[0][0], value=values[0])
    return Point(at=group[-1][0], value=sum(values) / len(values), low=min(values), high=max(values))


def _frame(panel: Panel, across: Scale, down: Scale) -> list[Markup]:
    ticks = down.ticks(max(4, round(panel.height / 35)) if panel.height > 100 else 2)
    rules = [] if panel.rule is None else [panel.rule]
    return [
        svg.label(0, down.end - 12, panel.name, class_="name"),
        *(svg.line(across.start, down(tick), across.end, down(tick), "grid") for tick in ticks),
        *(
            svg.label(across.start - 8, down(tick) + 4, _tick_words(tick, ticks), anchor="end", class_="quiet")
            for tick in ticks
        ),
        *(svg.line(across.start, down(rule), across.end, down(rule), "rule") for rule in rules),
    ]


def _tick_words(tick: float, ticks: list[float]) -> str:
    """Short enough for the margin, and different for neighbours."""
    largest = max(map(abs, ticks))
    if largest >= 1000:
        return words.count(tick)
    if largest < 0.05 or len(ticks) == 1:
        # Three steps of 0.1 are not 0.3, and nought is not 1e-18.
        return words.rate(round(tick, 9)).replace("-", words.MINUS)
    return f"{tick:.{decimals_of(ticks)}f}".replace("-", words.MINUS)


def _curves(panel: Panel, across: Scale, down: Scale) -> list[Markup]:
    lines = [line for line in panel.lines if line.points]
    drawn = [_curve(panel, line, across, down) for line in lines]
    crosses = [_cross(line, across, down) for line in lines if line.is_cut]
    if panel.bounds is None:
        return [*drawn, *crosses]
    # A drawing within the drawing shows nothing beyond its edges. Marks at the edges stay whole.
    x, y, width, height = across.start, down.end, across.end - across.start, down.start - down.end
    box = f"{x - 3:.1f} {y:.1f} {width + 6:.1f} {height:.1f}"
    return [
        svg.element("svg", *drawn, x=x - 3, y=y, width=width + 6, height=height, viewBox=box),
        *crosses,
    ]


def _cross(line: Line, across: Scale, down: Scale) -> Markup:
    x, y = across(line.points[-1].at), down(down.within(line.points[-1].value))
    strokes = [svg.line(x - 4, y - 4, x + 4, y + 4, f"cut {line.colour}")]
    return svg.group([*strokes, svg.line(x - 4, y + 4, x + 4, y - 4, f"cut {line.colour}")], opacity=line.opacity)


def _end_words(panel: Panel, across: Scale, down: Scale) -> list[Markup]:
    """Beside the ends of the lines and in their order, each as near as the others leave room for."""
    ends = sorted(_named(panel), key=lambda line: -line.points[-1].value)
    y, drawn = -LINE_HEIGHT, []
    for number, line in enumerate(ends):
        wanted = down(down.within(line.points[-1].value))
        lowest = down.start - LINE_HEIGHT * (len(ends) - 1 - number)
        y = max(min(wanted, lowest), y + LINE_HEIGHT)
        end_words = svg.shortened(line.end_words, MOST_MARGIN)
        drawn += [
            svg.polyline(
                [(across.end + 2, wanted), (across.end + 10, y), (across.end + 14, y)], f"curve {line.colour}"
            ),
            svg.label(across.end + 18, y + 4, end_words, class_="value"),
        ]
    return drawn


def _named(panel: Panel) -> list[Line]:
    return [line for line in panel.lines if line.points and line.end_words]


def _margin(panels: Sequence[Panel], is_wide: bool) -> float:
    """Room for the words at the ends of lines; a line by itself says its last value."""
    if all(len(panel.lines) > 1 for panel in panels) and not (is_wide and any(map(_named, panels))):
        return LEAST_MARGIN
    longest = max((len(line.end_words) for panel in panels for line in _named(panel)), default=0)
    return max(RIGHT, min(MOST_MARGIN, 6.6 * longest) + 20) if is_wide else RIGHT


def _curve(panel: Panel, line: Line, across: Scale, down: Scale) -> Markup:
    places = [(across(point.at), down(point.value)) for point in line.points]
    ranged = [point for point in line.points if point.low is not None and point.high is not None]
    upper = [(across(point.at), down(point.high or 0.0)) for point in ranged]
    lower = [(across(point.at), down(point.low or 0.0)) for point in reversed(ranged)]
    band = [svg.polygon([*upper, *lower], f"band {line.colour}")] if ranged else []
    if len(ranged) == 1:
        band = [svg.line(*upper[0], *lower[0], "whisker")]
    # So few that each is worth a mark; one alone would be no line at all.
    is_marked = (len(places) <= 24 and len(panel.lines) <= MOST_MARKED_LINES) or len(places) == 1
    marked = places if is_marked else []
    dots = [svg.element("circle", cx=x, cy=y, r=2.5, class_=line.colour) for x, y in marked]
    x, y = places[-1]
    last = svg.label(x + 6, y + 4, panel.number(line.points[-1].value), class_="value")
    return svg.group(
        [*band, svg.polyline(places, f"curve {line.colour}"), *dots, *([last] if len(panel.lines) == 1 else [])],
        opacity=line.opacity,
    )


def _stops(places: list[tuple[Panel, Scale]], across: Scale, bottom: float, axis: Axis) -> list[Markup]:
    """Marks over the whole height, at places at which something was measured."""
    measured = sorted({point.at for panel, _ in places for line in panel.lines for point in line.points})
    size = -(-len(measured) // MOST_STOPS)
    chosen = measured[::-1][::size][::-1]
    half = max(2.0, (across.end - across.start) / max(1, len(chosen)) / 2)
    return [_stop(at, places, across, bottom, half, axis) for at in chosen]


def _stop(
    at: float, places: list[tuple[Panel, Scale]], across: Scale, bottom: float, half: float, axis: Axis
) -> Markup:
    x = across(at)
    rings, said = [], [axis.place_words(at)]
    for panel, down in places:
        if len(places) > 1 and len(panel.lines) > 1:
            said.append(panel.name)
        for line in panel.lines:
            if line.is_background or (point := line.last_before(at)) is None:
                continue
            if not axis.is_kept and point.at != at:
                continue
            place = {"cx": across(point.at), "cy": down(down.within(point.value))}
            rings.append(svg.element("circle", **place, r=4, class_=f"ring {line.colour}"))
            named = line.name if len(panel.lines) > 1 else panel.name.lower()
            said.append(f"{named} {panel.number(point.value)}")
    return svg.group(
        [svg.bar(x - half, 8, 2 * half, bottom - 8, "catch"), svg.line(x, 16, x, bottom, "cross"), *rings],
        class_="mark",
        data_tip="\n".join(said),
    )
