"""Whether differences hold when there is more of the budget."""

from dataclasses import dataclass

from smidgen.reports import words
from smidgen.reports.ablation import quantity
from smidgen.reports.ablation.palette import colours
from smidgen.reports.ablation.result import BITS_TASK, Result, ScalePoint, Scaling
from smidgen.reports.charts import scaling_plot
from smidgen.reports.charts.forest_plot import Estimate
from smidgen.reports.comparison.metrics import is_less_better, tick_words
from smidgen.reports.page import NARROW, WIDE, Chart

HOLDS = {
    "holds": "the difference holds",
    "grows": "the difference grows",
    "shrinks": "the difference shrinks",
    "cannot be told": "whether the difference holds cannot be told",
}


@dataclass(frozen=True, kw_only=True)
class ScalingChart:
    """``drawn`` are those that have a colour; all of ``listed`` stand in the table."""

    title: str
    chart: Chart
    drawn: tuple[Scaling, ...]
    listed: tuple[Scaling, ...]


def scaling_charts(result: Result) -> list[ScalingChart]:
    """For each task that was measured at several multiples of the budget, bits per byte first."""
    several = [one for one in result.scaling if len(one.points) > 1]
    tasks = sorted(dict.fromkeys(one.task for one in several), key=lambda task: task != BITS_TASK)
    return [_chart(result, [one for one in several if one.task == task]) for task in tasks]


def holds_words(one: Scaling) -> str:
    return HOLDS.get(one.holds, one.holds)


def place_words(result: Result, scale: float) -> str:
    """ "2×, 8M": the multiple, and how many tokens that is."""
    tokens = next((point.tokens for one in result.scaling for point in one.points if point.scale == scale), None)
    return quantity.multiple(scale) + (f", {words.count(tokens)}" if tokens else "")


def _chart(result: Result, listed: list[Scaling]) -> ScalingChart:
    known = colours(result)
    drawn = [one for one in listed if one.variant in known]
    metric = listed[0].metric
    title = f"{quantity.task_words(listed[0].task)}: difference to the base by budget"
    sides = ("worse", "better") if is_less_better(metric) else ("better", "worse")
    series = [_series(one, known[one.variant]) for one in drawn]
    labels = scaling_plot.Labels(
        place_words=lambda scale: place_words(result, scale),
        tick_words=lambda tick: tick_words(metric, tick),
        sides=sides,
    )
    charts = [scaling_plot.draw(title, series, width, labels) for width in (WIDE, NARROW)]
    return ScalingChart(
        title=quantity.title(listed[0].task, metric),
        chart=Chart(*charts),
        drawn=tuple(drawn),
        listed=tuple(listed),
    )


def _series(one: Scaling, colour: str) -> scaling_plot.Series:
    return scaling_plot.Series(
        name=one.variant,
        colour=colour,
        estimates={point.scale: (_estimate(point, colour), _said(one.metric, point)) for point in one.points},
    )


def _estimate(point: ScalePoint, colour: str) -> Estimate:
    """Hollow where the interval reaches over zero."""
    holds_zero = point.low is None or point.high is None or point.low <= 0 <= point.high
    return Estimate(value=point.difference, low=point.low, high=point.high, colour=colour, is_hollow=holds_zero)


def _said(metric: str, point: ScalePoint) -> str:
    return quantity.with_interval(metric, point.difference, point.low, point.high)
