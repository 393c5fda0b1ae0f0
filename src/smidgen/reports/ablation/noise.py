"""The noise of seeds: what it is, what could be found in spite of it, and how many seeds more would be needed."""

from dataclasses import dataclass

from smidgen.reports import words
from smidgen.reports.ablation import quantity
from smidgen.reports.ablation.result import BITS_TASK, NoiseFloor, Power, Result, Verdict
from smidgen.reports.charts import forest_plot
from smidgen.reports.page import NARROW, WIDE, Chart


@dataclass(frozen=True, kw_only=True)
class NoiseRow:
    """One task: its noise floor, and by number of seeds what difference is found in four of five tries."""

    title: str
    unit: str
    floor: str
    interval: str
    seeds: str
    detectable: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Wanting:
    """A verdict that is still open for want of seeds."""

    variant: str
    task: str
    difference: str
    more_seeds: str


def seed_counts(result: Result) -> list[int]:
    """The numbers of seeds for which the power is known."""
    return sorted({one.seeds for one in result.power})


def noise_rows(result: Result) -> list[NoiseRow]:
    floors = {one.task: one for one in result.noise_floor}
    powers = {one.task: one for one in result.power}
    tasks = sorted({**floors, **powers}, key=lambda task: task != BITS_TASK)
    return [_row(result, task, (floors.get(task) or powers[task]).metric, floors.get(task)) for task in tasks]


def wanting(result: Result) -> list[Wanting]:
    """Undecided verdicts, those that need the fewest seeds first."""
    open_ones = [one for one in result.verdicts if one.kind == "unsure" and one.scale == result.main_scale]
    open_ones.sort(key=lambda one: (one.task != BITS_TASK, one.more_seeds or float("inf")))
    return [_wanting(one) for one in open_ones]


def seeds_chart(result: Result) -> Chart | None:
    """Bits per byte of every seed of the base, where there is nothing else to be seen."""
    score = result.everyone[0].bits_per_byte
    if score is None or len(score.values) < 2:
        return None
    metric = "bits_per_byte"
    shown = quantity.value_words(metric, score.mean)
    marks = (forest_plot.Estimate(value=score.mean, low=score.low, high=score.high),)
    tip = "\n".join([f"mean {shown}", *(quantity.value_words(metric, value) for value in score.values)])
    row = forest_plot.Row(label=result.base, estimates=marks, words=shown, tip=tip, dots=score.values)
    low, high = forest_plot.limits([row], *score.values)
    axis = forest_plot.Axis(low=low, high=high, tick_words="{:.3f}".format)
    title = "Bits per byte of every seed, their mean and its 95% interval"
    return Chart(*(forest_plot.draw(title, [row], axis, width) for width in (WIDE, NARROW)))


def _row(result: Result, task: str, metric: str, floor: NoiseFloor | None) -> NoiseRow:
    found: dict[int, Power] = {one.seeds: one for one in result.power if one.task == task}
    return NoiseRow(
        title=quantity.task_words(task),
        unit=quantity.unit(metric),
        floor=quantity.size_words(metric, floor.standard_deviation) if floor else "–",
        interval=_range(metric, floor) if floor else "",
        seeds=str(floor.seeds) if floor else "–",
        detectable=tuple(
            quantity.size_words(metric, found[seeds].detectable) if seeds in found else "–"
            for seeds in seed_counts(result)
        ),
    )


def _range(metric: str, floor: NoiseFloor) -> str:
    if floor.low is None or floor.high is None:
        return ""
    return f"{quantity.size_words(metric, floor.low)} to {quantity.size_words(metric, floor.high)}"


def _wanting(verdict: Verdict) -> Wanting:
    metric = verdict.metric
    difference = "–"
    if verdict.difference is not None:
        difference = quantity.with_interval(metric, verdict.difference, verdict.low, verdict.high)
    return Wanting(
        variant=verdict.variant,
        task=quantity.title(verdict.task, metric),
        difference=difference,
        more_seeds=f"about {words.exact(verdict.more_seeds)}" if verdict.more_seeds else "more than can be said",
    )
