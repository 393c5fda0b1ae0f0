"""Whether a model is right as often as it is sure: accuracy over confidence, beside the diagonal."""

from itertools import chain

from markupsafe import Markup

from smidgen.lab.diagnosis import Calibration, ReliabilityBin
from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale

HEIGHT = 190
# The accuracy of fewer has an interval of more than 50 points.
LEAST_ITEMS = 10
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def draw(title: str, curves: dict[str, Calibration], colours: dict[str, str], width: int) -> Markup:
    """Bins of at least ten items; ``colours`` are classes of the style sheet by name of model."""
    top = 24.0
    across, up = Scale(0, 1, 38.0, width - 14.0), Scale(0, 1, top + HEIGHT, top)
    drawn = chain.from_iterable(_curve(name, curve, colours[name], across, up) for name, curve in curves.items())
    return svg.drawing(title, width, top + HEIGHT + 36, [*_frame(across, up), *drawn], "calibration-chart")


def _frame(across: Scale, up: Scale) -> list[Markup]:
    inner = [svg.line(across.start, up(tick), across.end, up(tick), "grid") for tick in _TICKS]
    numbers = [
        mark
        for tick in _TICKS
        for mark in (
            svg.label(across.start - 6, up(tick) + 4, words.percent(tick, 0), anchor="end", class_="quiet"),
            svg.label(across(tick), up.start + 16, words.percent(tick, 0), anchor="middle", class_="quiet"),
        )
    ]
    return [
        *inner,
        *numbers,
        svg.line(across(0), up(0), across(1), up(1), "diagonal"),
        svg.label(0, 12, "right", class_="quiet"),
        svg.label(across.end, up.start + 32, "confidence", anchor="end", class_="quiet"),
    ]


def _curve(name: str, curve: Calibration, colour: str, across: Scale, up: Scale) -> list[Markup]:
    bins = [one for one in curve.bins if one.accuracy.n >= LEAST_ITEMS]
    points = [(across(one.confidence), up(one.accuracy.value)) for one in bins]
    marks = [
        svg.group(_point(one, x, y, colour, up), class_="mark", data_tip=_tip(name, one))
        for one, (x, y) in zip(bins, points, strict=True)
    ]
    return [svg.polyline(points, f"curve {colour}"), *marks]


def _point(one: ReliabilityBin, x: float, y: float, colour: str, up: Scale) -> list[Markup]:
    return [
        svg.line(x, up(one.accuracy.low), x, up(one.accuracy.high), f"interval thin {colour}"),
        svg.element("circle", cx=x, cy=y, r=3.2, class_=colour),
        svg.element("circle", cx=x, cy=y, r=10, class_="catch"),
    ]


def _tip(name: str, one: ReliabilityBin) -> str:
    score = one.accuracy
    return "\n".join(
        [
            name,
            f"{words.percent(one.confidence)} sure on average",
            f"{words.percent(score.value)} right ({100 * score.low:.1f} to {100 * score.high:.1f})",
            words.plural(score.n, "item"),
        ]
    )
