"""Shares of the sources over the run: areas for what was trained on, lines for what was planned."""

import itertools

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale
from smidgen.reports.stored.data import MixturePoint

TITLE = "Share of each source in the training tokens, planned and realised, over the run"


def sources(mixture: tuple[MixturePoint, ...]) -> list[str]:
    """Every source that is planned or was seen, in the order of first mention."""
    return list(dict.fromkeys(name for point in mixture for name in (*point.planned, *point.realised)))


def table_rows(mixture: tuple[MixturePoint, ...], most: int = 13) -> list[MixturePoint]:
    """Points for reading as numbers: all, or evenly chosen ones with the first and the last."""
    if len(mixture) <= most:
        return list(mixture)
    return [mixture[round(number * (len(mixture) - 1) / (most - 1))] for number in range(most)]


def heaps(mixture: tuple[MixturePoint, ...], kind: str) -> list[tuple[int, list[float]]]:
    """``(tokens, [0, first, first + second, ...])`` of each point that has shares of that kind."""
    names = sources(mixture)
    return [
        (point.tokens, list(itertools.accumulate((shares.get(name, 0.0) for name in names), initial=0.0)))
        for point in mixture
        if (shares := getattr(point, kind))
    ]


def draw(mixture: tuple[MixturePoint, ...], width: int) -> Markup:
    left, top, height = 42, 8, 210
    bottom = top + height
    first, last = mixture[0].tokens, max(mixture[-1].tokens, mixture[0].tokens + 1)
    across, up = Scale(first, last, left, width - 12), Scale(0, 1, bottom, top)
    parts = [
        *_areas(mixture, across, up),
        *_planned_lines(mixture, across, up),
        *_axes(across, up, wanted=6 if width > 500 else 5),
        *(_stop(mixture, number, across, up) for number in range(len(mixture))),
    ]
    return svg.drawing(TITLE, width, bottom + 36, parts, "mixture-chart")


def _areas(mixture: tuple[MixturePoint, ...], across: Scale, up: Scale) -> list[Markup]:
    realised = heaps(mixture, "realised")
    if len(realised) < 2:
        return []
    return [
        svg.polygon(
            [
                *((across(tokens), up(heap[number + 1])) for tokens, heap in realised),
                *((across(tokens), up(heap[number])) for tokens, heap in reversed(realised)),
            ],
            f"area {svg.series(number)}",
        )
        for number in range(len(sources(mixture)))
    ]


def _planned_lines(mixture: tuple[MixturePoint, ...], across: Scale, up: Scale) -> list[Markup]:
    planned = heaps(mixture, "planned")
    # The uppermost boundary is 100% everywhere and says nothing.
    boundaries = range(1, len(sources(mixture)))
    return [
        svg.polyline(((across(tokens), up(heap[number])) for tokens, heap in planned), "planned")
        for number in boundaries
    ]


def _axes(across: Scale, up: Scale, wanted: int) -> list[Markup]:
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    return [
        svg.line(across.start, up(0), across.end, up(0), "axis"),
        *(
            svg.label(across.start - 8, up(share) + 4, words.percent(share, 0), anchor="end", class_="quiet")
            for share in shares
        ),
        *(
            svg.label(across(tick), up(0) + 17, words.count(tick), anchor="middle", class_="quiet")
            for tick in across.ticks(wanted)
        ),
        svg.label(across.end, up(0) + 33, "trained tokens", anchor="end", class_="quiet"),
    ]


def _stop(mixture: tuple[MixturePoint, ...], number: int, across: Scale, up: Scale) -> Markup:
    point = mixture[number]
    half = (across.end - across.start) / max(1, len(mixture) - 1) / 2
    x = across(point.tokens)
    return svg.group(
        [svg.bar(x - half, up(1), 2 * half, up(0) - up(1), "catch"), svg.line(x, up(1), x, up(0), "cross")],
        class_="mark",
        data_tip="\n".join([f"{words.count(point.tokens)} tokens", *_shares(mixture, point)]),
    )


def _shares(mixture: tuple[MixturePoint, ...], point: MixturePoint) -> list[str]:
    planned, realised = point.planned, point.realised
    return [
        f"{name}: planned {words.percent(planned.get(name, 0.0))}"
        + (f", realised {words.percent(realised.get(name, 0.0))}" if realised else "")
        for name in sources(mixture)
    ]
