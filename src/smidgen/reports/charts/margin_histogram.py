"""How clearly each model prefers right endings: the spread of its margins, as outlines over common bins."""

from itertools import pairwise

from markupsafe import Markup

from smidgen.lab.diagnosis import Histogram
from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale, decimals_of

HEIGHT = 132


def draw(title: str, histogram: Histogram, unit: str, colours: dict[str, str], width: int) -> Markup:
    """``colours`` are classes of the style sheet by name of model, ``unit`` is what the margins are in."""
    top, bottom = 20.0, 20.0 + HEIGHT
    across = Scale(histogram.edges[0], histogram.edges[-1], 4.0, width - 4.0)
    highest = max(share for shares in histogram.shares.values() for share in shares)
    up = Scale(0, highest, bottom, top)
    outlines = [
        svg.polyline(_outline(histogram.edges, shares, across, up), f"outline {colours[name]}")
        for name, shares in histogram.shares.items()
    ]
    parts = [*_frame(across, top, bottom, unit), *outlines, *_stops(histogram, across, top, bottom)]
    return svg.drawing(title, width, bottom + 36, parts, "margin-histogram")


def _outline(
    edges: tuple[float, ...], shares: tuple[float, ...], across: Scale, up: Scale
) -> list[tuple[float, float]]:
    steps = [
        (across(edge), up(share))
        for (low, high), share in zip(pairwise(edges), shares, strict=True)
        for edge in (low, high)
    ]
    return [(across.start, up.start), *steps, (across.end, up.start)]


def _frame(across: Scale, top: float, bottom: float, unit: str) -> list[Markup]:
    ticks = across.ticks(4)
    decimals = decimals_of(ticks)
    zero = across(0)
    named = [svg.label(across.end, 12, "right", anchor="end", class_="quiet")] if zero < across.end - 60 else []
    if zero > across.start + 60:
        named.append(svg.label(across.start, 12, "wrong", class_="quiet"))
    return [
        svg.line(across.start, bottom, across.end, bottom, "axis"),
        svg.line(zero, top - 6, zero, bottom, "zero"),
        *named,
        *(
            svg.label(across(tick), bottom + 16, _tick_words(tick, decimals), anchor="middle", class_="quiet")
            for tick in ticks
            if 12 < across(tick) < across.end - 8
        ),
        svg.label(across.end, bottom + 32, unit, anchor="end", class_="quiet"),
    ]


def _tick_words(tick: float, decimals: int) -> str:
    return f"{abs(tick):.{decimals}f}" if tick > -1e-9 else f"\u2212{-tick:.{decimals}f}"


def _stops(histogram: Histogram, across: Scale, top: float, bottom: float) -> list[Markup]:
    """Where values can be read off: one column for each bin."""
    return [
        svg.group(
            [
                svg.bar(across(low), top, across(high) - across(low), bottom - top, "catch"),
                svg.line(across((low + high) / 2), top, across((low + high) / 2), bottom, "cross"),
            ],
            class_="mark",
            data_tip=_tip(histogram, number),
        )
        for number, (low, high) in enumerate(pairwise(histogram.edges))
    ]


def _tip(histogram: Histogram, number: int) -> str:
    low, high = histogram.edges[number], histogram.edges[number + 1]
    held = [f"{name} {words.percent(shares[number])}" for name, shares in histogram.shares.items()]
    return "\n".join([f"margin {low:.3g} to {high:.3g}", *held])
