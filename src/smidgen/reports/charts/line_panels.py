"""Quantities over the trained tokens, one panel under the other, each with one or several lines."""

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
LEFT, RIGHT, TOP, GAP = 46.0, 48.0, 26.0, 44.0


@dataclass(frozen=True, kw_only=True)
class Point:
    """A value at a number of trained tokens, within a range where one is known."""

    tokens: float
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """``colour`` is a class of the style sheet; ``opacity`` sets many lines of one colour apart."""

    name: str
    points: tuple[Point, ...]
    colour: str = "s1"
    opacity: float | None = None

    def last_before(self, tokens: float) -> Point | None:
        index = bisect_right(self.points, tokens, key=lambda point: point.tokens)
        return self.points[index - 1] if index else None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One quantity. ``number`` writes its values; ``rule`` is a value to be held against, such as chance."""

    name: str
    lines: tuple[Line, ...]
    number: Callable[[float], str]
    height: float = 110
    is_from_zero: bool = False
    rule: float | None = None

    @property
    def limits(self) -> tuple[float, float]:
        drawn = [point for line in self.lines for point in line.points]
        values = [value for point in drawn for value in (point.low, point.value, point.high)] + [self.rule]
        known = [value for value in values if value is not None]
        low, high = room_around(known)
        return (0.0, max(known) * 1.1 or 1.0) if self.is_from_zero else (low, high)


def points(pairs: Sequence[tuple[float, float | None]]) -> tuple[Point, ...]:
    """At most ``MOST_POINTS``; what had to be put together keeps its smallest and its largest value as a range."""
    known = [(tokens, value) for tokens, value in pairs if value is not None]
    size = -(-len(known) // MOST_POINTS) or 1
    groups = [known[start : start + size] for start in range(0, len(known), size)]
    return tuple(_point(group) for group in groups)


def draw(title: str, panels: Sequence[Panel], width: float) -> Markup:
    """Panels share the axis of tokens; at least one line of each has a point."""
    most = max(line.points[-1].tokens for panel in panels for line in panel.lines if line.points)
    across = Scale(0, max(1.0, most), LEFT, width - RIGHT)
    parts: list[Markup] = []
    places: list[tuple[Panel, Scale]] = []
    top = TOP
    for panel in panels:
        down = Scale(*panel.limits, top + panel.height, top)
        parts += [*_frame(panel, across, down), *(_curve(panel, line, across, down) for line in panel.lines)]
        places.append((panel, down))
        top += panel.height + GAP
    bottom = top - GAP
    parts += token_axis(across, bottom, wanted=6 if width > 500 else 4)
    parts += _stops(places, across, bottom)
    return svg.drawing(title, width, bottom + 36, parts, "line-panels")


def token_axis(across: Scale, bottom: float, wanted: int) -> list[Markup]:
    ticks = across.ticks(wanted)
    return [
        svg.line(across.start, bottom, across.end, bottom, "axis"),
        *(svg.label(across(tick), bottom + 17, words.count(tick), anchor="middle", class_="quiet") for tick in ticks),
        svg.label(across.end, bottom + 33, "trained tokens", anchor="end", class_="quiet"),
    ]


def _point(group: list[tuple[float, float]]) -> Point:
    values = [value for _, value in group]
    if len(group) == 1:
        return Point(tokens=group[0][0], value=values[0])
    return Point(tokens=group[-1][0], value=sum(values) / len(values), low=min(values), high=max(values))


def _frame(panel: Panel, across: Scale, down: Scale) -> list[Markup]:
    ticks = down.ticks(4 if panel.height > 100 else 2)
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
    if abs(ticks[-1]) >= 1000:
        return words.count(tick)
    return words.rate(tick) if abs(ticks[-1]) < 0.05 or len(ticks) == 1 else f"{tick:.{decimals_of(ticks)}f}"


def _curve(panel: Panel, line: Line, across: Scale, down: Scale) -> Markup:
    if not line.points:
        return Markup("")
    places = [(across(point.tokens), down(point.value)) for point in line.points]
    ranged = [point for point in line.points if point.low is not None and point.high is not None]
    upper = [(across(point.tokens), down(point.high or 0.0)) for point in ranged]
    lower = [(across(point.tokens), down(point.low or 0.0)) for point in reversed(ranged)]
    band = [svg.polygon([*upper, *lower], f"band {line.colour}")] if ranged else []
    if len(ranged) == 1:
        band = [svg.line(*upper[0], *lower[0], "whisker")]
    # So few that each is worth a mark; one alone would be no line at all.
    marked = places if len(places) <= 24 else []
    dots = [svg.element("circle", cx=x, cy=y, r=2.5, class_=line.colour) for x, y in marked]
    x, y = places[-1]
    last = svg.label(x + 6, y + 4, panel.number(line.points[-1].value), class_="value")
    return svg.group(
        [*band, svg.polyline(places, f"curve {line.colour}"), *dots, *([last] if len(panel.lines) == 1 else [])],
        opacity=line.opacity,
    )


def _stops(places: list[tuple[Panel, Scale]], across: Scale, bottom: float) -> list[Markup]:
    """Marks over the whole height, at tokens at which something was measured."""
    measured = sorted({point.tokens for panel, _ in places for line in panel.lines for point in line.points})
    size = -(-len(measured) // MOST_STOPS)
    chosen = measured[::-1][::size][::-1]
    half = max(2.0, (across.end - across.start) / max(1, len(chosen)) / 2)
    return [_stop(tokens, places, across, bottom, half) for tokens in chosen]


def _stop(tokens: float, places: list[tuple[Panel, Scale]], across: Scale, bottom: float, half: float) -> Markup:
    x = across(tokens)
    rings, said = [], [f"{words.count(tokens)} tokens"]
    for panel, down in places:
        for line in panel.lines:
            if (point := line.last_before(tokens)) is None:
                continue
            place = {"cx": across(point.tokens), "cy": down(point.value)}
            rings.append(svg.element("circle", **place, r=4, class_=f"ring {line.colour}"))
            named = line.name if len(panel.lines) > 1 else panel.name.lower()
            said.append(f"{named} {panel.number(point.value)}")
    return svg.group(
        [svg.bar(x - half, 8, 2 * half, bottom - 8, "catch"), svg.line(x, 16, x, bottom, "cross"), *rings],
        class_="mark",
        data_tip="\n".join(said),
    )
