"""Differences at several multiples of a budget, with 95% intervals around zero: does a gain hold?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from smidgen.reports.charts import svg
from smidgen.reports.charts.forest_plot import Estimate
from smidgen.reports.charts.scale import Scale, room_around

HEIGHT = 210
LEFT, RIGHT, TOP = 52.0, 16.0, 26.0
# Between the marks of neighbours at one multiple, and at most of all together.
APART, MOST_APART = 11.0, 60.0


@dataclass(frozen=True, kw_only=True)
class Series:
    """``estimates`` by multiple of the budget, each with the words that are said of it."""

    name: str
    colour: str
    estimates: dict[float, tuple[Estimate, str]]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """``place_words`` say a multiple, ``tick_words`` a difference; ``sides`` are what lies above and below zero."""

    place_words: Callable[[float], str]
    tick_words: Callable[[float], str]
    sides: tuple[str, str]


def draw(title: str, series: Sequence[Series], width: int, labels: Labels) -> Markup:
    places = sorted({place for one in series for place in one.estimates})
    room = 0.5 * min(MOST_APART, APART * (len(series) - 1)) + 18
    # A doubling is a step of the same width wherever it is.
    across = Scale(math.log(places[0]), math.log(places[-1]) or 1.0, LEFT + room, width - RIGHT - room)
    down = Scale(*_limits(series), TOP + HEIGHT, TOP)
    parts = _frame(places, across, down, width, labels)
    for number, one in enumerate(series):
        aside = (number - (len(series) - 1) / 2) * min(APART, MOST_APART / max(1, len(series) - 1))
        parts += _series(one, across, down, aside, labels.place_words)
    return svg.drawing(title, width, TOP + HEIGHT + 28, parts, "scaling-plot")


def _limits(series: Sequence[Series]) -> tuple[float, float]:
    marks = [mark for one in series for mark, _ in one.estimates.values()]
    values = [value for mark in marks for value in (mark.value, mark.low, mark.high) if value is not None]
    return room_around([0.0, *values])


def _frame(places: Sequence[float], across: Scale, down: Scale, width: int, labels: Labels) -> list[Markup]:
    ticks = down.ticks(4)
    zero = down(0.0)
    return [
        *(svg.line(LEFT, down(tick), width - RIGHT, down(tick), "grid") for tick in ticks),
        *(
            svg.label(LEFT - 8, down(tick) + 4, labels.tick_words(tick), anchor="end", class_="quiet")
            for tick in ticks
        ),
        svg.line(LEFT, zero, width - RIGHT, zero, "zero"),
        svg.label(LEFT, TOP - 10, f"\u2191 {labels.sides[0]}", class_="quiet"),
        svg.label(width - RIGHT, TOP - 10, f"\u2193 {labels.sides[1]}", anchor="end", class_="quiet"),
        *(
            svg.label(
                across(math.log(place)),
                down.start + 20,
                labels.place_words(place),
                anchor="middle",
                class_="quiet",
            )
            for place in places
        ),
    ]


def _series(
    series: Series, across: Scale, down: Scale, aside: float, place_words: Callable[[float], str]
) -> list[Markup]:
    places = [(across(math.log(place)) + aside, mark) for place, (mark, _) in sorted(series.estimates.items())]
    joined = svg.polyline([(x, down(mark.value)) for x, mark in places], f"joined {series.colour}")
    marks = [
        svg.group(
            [svg.bar(x - APART / 2, TOP, APART, HEIGHT, "catch"), *_mark(mark, x, down)],
            class_="mark",
            data_tip=f"{series.name}, {place_words(place)}\n{said}",
        )
        for (x, mark), (place, (_, said)) in zip(places, sorted(series.estimates.items()), strict=True)
    ]
    return [joined, *marks]


def _mark(mark: Estimate, x: float, down: Scale) -> list[Markup]:
    dot = "estimate hollow" if mark.is_hollow else "estimate"
    drawn = [svg.element("circle", cx=x, cy=down(mark.value), r=4.2, class_=f"{dot} {mark.colour}")]
    if mark.low is None or mark.high is None:
        return drawn
    return [svg.line(x, down(mark.low), x, down(mark.high), f"interval {mark.colour}"), *drawn]
