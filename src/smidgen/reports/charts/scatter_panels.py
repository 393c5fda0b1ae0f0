"""One outcome against several settings: a panel for each setting, with the same dots in all of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale, decimals_of, room_around

HEIGHT = 150.0
LEFT, RIGHT, TOP, BOTTOM, APART = 46.0, 10.0, 44.0, 34.0, 18.0
# Above the frame, where dots lie that have no outcome.
LANE = 12.0
WIDE_COLUMNS = 2
# A label each so many pixels.
LABEL_WIDTH = 52.0
# Outcomes further from the best than so many times the typical one are drawn at the upper edge (assumed).
MOST_REACH = 4


@dataclass(frozen=True, kw_only=True)
class Dot:
    """``values`` are its places in the panels, ``outcome`` its height, ``None`` for one that never had any.

    One without an outcome is a cross if it ``is_lost``, else hollow; one that ``stands_out`` is larger.
    """

    values: tuple[float, ...]
    outcome: float | None
    tip: str
    colour: str = "other"
    is_lost: bool = False
    stands_out: bool = False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """``ticks`` are places with their words; other places are said as numbers."""

    name: str
    low: float
    high: float
    is_log: bool = False
    ticks: tuple[tuple[float, str], ...] = ()


def draw(
    title: str, panels: Sequence[Panel], dots: Sequence[Dot], width: int, *, rule: float | None, rule_words: str = ""
) -> Markup:
    """``rule`` is an outcome to be held against, such as the base's, said in ``rule_words``."""
    columns = WIDE_COLUMNS if width > 500 and len(panels) > 1 else 1
    across = (width - APART * (columns - 1)) / columns
    height = TOP + HEIGHT + BOTTOM
    limits = _limits([dot.outcome for dot in dots if dot.outcome is not None], rule)
    parts: list[Markup] = []
    for number, panel in enumerate(panels):
        left, top = number % columns * (across + APART), number // columns * height
        down = Scale(*limits, top + TOP + HEIGHT, top + TOP)
        parts += _panel(panel, number, dots, _scale(panel, left + LEFT, left + across - RIGHT), down, left)
        if rule is not None:
            parts.append(svg.line(left + LEFT, down(rule), left + across - RIGHT, down(rule), "rule"))
            parts.append(svg.label(left + across - RIGHT, down(rule) - 5, rule_words, anchor="end", class_="quiet"))
    return svg.drawing(title, width, height * math.ceil(len(panels) / columns), parts, "scatter-panels")


def _limits(outcomes: Sequence[float], rule: float | None) -> tuple[float, float]:
    """All outcomes, but for those so far away that the others could not be told apart."""
    known = sorted([*outcomes, *([] if rule is None else [rule])])
    if not known:
        return 0.0, 1.0
    best, typical = known[0], known[len(known) // 2]
    highest = best + MOST_REACH * (typical - best)
    return room_around([one for one in known if one <= highest or one == rule] or known)


def _scale(panel: Panel, start: float, end: float) -> Callable[[float], float]:
    low, high = (math.log(one) if panel.is_log else one for one in (panel.low, panel.high))
    scale = Scale(low, high, start + 8, end - 8)
    return lambda value: scale(math.log(value) if panel.is_log else value)


def _panel(
    panel: Panel, number: int, dots: Sequence[Dot], across: Callable[[float], float], down: Scale, left: float
) -> list[Markup]:
    start, end = across(panel.low) - 8, across(panel.high) + 8
    marks = down.ticks(4)
    ticks = _fitting(panel.ticks or _round_ticks(panel), end - start)
    return [
        svg.label(left, down.end - TOP + 12, panel.name, class_="name"),
        *(svg.line(start, down(mark), end, down(mark), "grid") for mark in marks),
        *(
            svg.label(start - 8, down(mark) + 4, f"{mark:.{decimals_of(marks)}f}", anchor="end", class_="quiet")
            for mark in marks
        ),
        svg.line(start, down.start, end, down.start, "axis"),
        *(svg.line(across(place), down.start, across(place), down.start + 4, "axis") for place, _ in ticks),
        *(svg.label(across(place), down.start + 18, said, anchor="middle", class_="quiet") for place, said in ticks),
        # What stands out lies above the rest.
        *(_dot(dot, across(dot.values[number]), down) for dot in sorted(dots, key=lambda dot: dot.stands_out)),
    ]


def _fitting(ticks: Sequence[tuple[float, str]], width: float) -> Sequence[tuple[float, str]]:
    return ticks[:: max(1, math.ceil(len(ticks) * LABEL_WIDTH / width))]


def _round_ticks(panel: Panel) -> list[tuple[float, str]]:
    if not panel.is_log:
        return [(tick, _said(tick)) for tick in Scale(panel.low, panel.high, 0, 1).ticks(4)]
    powers = range(math.floor(math.log10(panel.low)), math.ceil(math.log10(panel.high)) + 1)
    round_ones = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    inside = [tick for tick in round_ones if panel.low * 0.999 <= tick <= panel.high * 1.001]
    return [(tick, _said(tick)) for tick in inside if panel.low <= tick <= panel.high]


def _said(tick: float) -> str:
    return words.count(tick) if abs(tick) >= 1000 else words.rate(round(tick, 9))


def _dot(dot: Dot, x: float, down: Scale) -> Markup:
    if dot.outcome is None:
        y = down.end - LANE
        shape = _cross(x, y, dot.colour) if dot.is_lost else [_circle(x, y, 3, f"estimate hollow {dot.colour}")]
    elif dot.outcome > down.high:
        y = down.end
        shape = [svg.polygon([(x, y - 5), (x - 4.5, y + 3), (x + 4.5, y + 3)], f"estimate {dot.colour}")]
    else:
        y = down(dot.outcome)
        shape = [_circle(x, y, 5.5 if dot.stands_out else 3.5, f"estimate {dot.colour}")]
    return svg.group([_circle(x, y, 9, "catch"), *shape], class_="mark", data_tip=dot.tip)


def _circle(x: float, y: float, radius: float, class_: str) -> Markup:
    return svg.element("circle", cx=x, cy=y, r=radius, class_=class_)


def _cross(x: float, y: float, colour: str) -> list[Markup]:
    return [
        svg.line(x - 3.5, y - 3.5, x + 3.5, y + 3.5, f"cut {colour}"),
        svg.line(x - 3.5, y + 3.5, x + 3.5, y - 3.5, f"cut {colour}"),
    ]
