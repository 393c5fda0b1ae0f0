"""The differences to the base as forest plots: one in bits per byte, one for each task."""

from collections.abc import Iterable
from dataclasses import dataclass

from smidgen.reports.ablation import quantity
from smidgen.reports.ablation.answer import ORDER
from smidgen.reports.ablation.result import BASE, BITS_TASK, FINISHED, Result, Verdict
from smidgen.reports.charts import forest_plot
from smidgen.reports.comparison.metrics import is_less_better, tick_words
from smidgen.reports.page import NARROW, WIDE, Chart

# Each of so few rows says its verdict below its name; more are put under a heading for each kind.
MOST_NOTED = 12
# Differences up to so many times the one that could be found are always on the axis.
LEAST_REACH = 3
HEADINGS = {
    "better": "Better than the base",
    "worse": "Worse than the base",
    "unsure": "Not distinguishable from the base",
    "diverged": "Diverged",
    "halved": "Stopped by halving",
    "open": "No verdict yet",
}


@dataclass(frozen=True, kw_only=True)
class Effect:
    """``detectable`` is the difference found in four of five tries; ``beyond`` names whom no axis could hold."""

    task: str
    metric: str
    chart: Chart
    verdicts: tuple[Verdict, ...]
    detectable: float | None
    beyond: tuple[str, ...]

    @property
    def title(self) -> str:
        return quantity.title(self.task, self.metric)


def effects(result: Result) -> list[Effect]:
    """Bits per byte first, then the tasks in the order of the verdicts; those without any difference are left out."""
    tasks = dict.fromkeys([BITS_TASK, *(verdict.task for verdict in result.verdicts)])
    found = [(task, result.verdicts_on(task)) for task in tasks]
    return [
        _effect(result, task, verdicts)
        for task, verdicts in found
        if any(verdict.difference is not None for verdict in verdicts)
    ]


def _effect(result: Result, task: str, verdicts: list[Verdict]) -> Effect:
    metric = verdicts[0].metric
    detectable = result.detectable(task)
    rows = _rows(result, verdicts)
    axis, farthest = _axis(verdicts, rows, detectable)
    beyond = tuple(one.variant for one in verdicts if abs(one.difference or 0.0) > farthest)
    title = f"{quantity.task_words(task)}: differences to the base in {quantity.unit(metric)}, 95% intervals"
    drawn = [forest_plot.draw(title, rows, axis, width) for width in (WIDE, NARROW)]
    return Effect(
        task=task,
        metric=metric,
        chart=Chart(*drawn),
        verdicts=tuple(verdicts),
        detectable=detectable,
        beyond=beyond,
    )


def _axis(
    verdicts: list[Verdict], rows: list[forest_plot.Row], detectable: float | None
) -> tuple[forest_plot.Axis, float]:
    """And how far from zero it goes."""
    metric = verdicts[0].metric
    extents = [
        max(abs(value) for value in (one.difference, one.low, one.high) if value is not None)
        for one in verdicts
        if one.difference is not None
    ]
    band = (-detectable, detectable) if detectable is not None else None
    least = min(max(extents, default=0.0), LEAST_REACH * (detectable or 0.0))
    farthest = 1.05 * max(forest_plot.reach(extents), least)
    # With few seeds only differences could be found that are far larger than all that are seen.
    is_shown = detectable is not None and detectable < farthest
    low, high = forest_plot.limits(rows, 0.0, *(band if band and is_shown else ()))
    left, right = ("\u2190 better", "worse \u2192") if is_less_better(metric) else ("\u2190 worse", "better \u2192")
    axis = forest_plot.Axis(
        low=max(low, -farthest) if farthest else low,
        high=min(high, farthest) if farthest else high,
        tick_words=lambda tick: tick_words(metric, tick),
        zero=0.0,
        left_words=left,
        right_words=right,
        band=band,
    )
    return axis, farthest


def _rows(result: Result, verdicts: list[Verdict]) -> list[forest_plot.Row]:
    if len(verdicts) <= MOST_NOTED:
        return [_row(result, verdict, is_noted=True) for verdict in verdicts]
    rows: list[forest_plot.Row] = []
    for kind in ORDER:
        same = [verdict for verdict in verdicts if verdict.kind == kind]
        if same:
            rows.append(forest_plot.Row(label=f"{HEADINGS[kind]} ({len(same)})"))
            rows += [_row(result, verdict, is_noted=False) for verdict in _by_gain(same)]
    return rows


def _by_gain(verdicts: Iterable[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=lambda one: -quantity.gain(one.metric, one.difference or 0.0))


def _row(result: Result, verdict: Verdict, *, is_noted: bool) -> forest_plot.Row:
    metric, difference = verdict.metric, verdict.difference
    colour = verdict.kind if verdict.kind in ("better", "worse") else "unsure"
    marks: tuple[forest_plot.Estimate, ...] = ()
    shown = "no difference known"
    if difference is not None:
        shown = quantity.with_interval(metric, difference, verdict.low, verdict.high)
        marks = (
            forest_plot.Estimate(
                value=difference, low=verdict.low, high=verdict.high, colour=colour, is_hollow=colour == "unsure"
            ),
        )
    return forest_plot.Row(
        label=verdict.variant,
        estimates=marks,
        words=shown,
        tip=_tip(verdict, shown),
        dots=_seed_differences(result, verdict) if verdict.task == BITS_TASK else (),
        note=_note(verdict) if is_noted else "",
        note_colour="worse" if verdict.kind == "diverged" else colour,
    )


def _note(verdict: Verdict) -> str:
    """Without what would not fit: how many more seeds are needed stands in the table."""
    return verdict.verdict.partition(" (")[0] if verdict.kind == "unsure" else verdict.verdict


def _seed_differences(result: Result, verdict: Verdict) -> tuple[float, ...]:
    """Variant less base of the same seed, where both have ended."""
    by_seed = {
        variant.name: {
            trial.seed: trial.bits_per_byte
            for trial in variant.trials
            if trial.scale == verdict.scale and trial.state == FINISHED and trial.bits_per_byte is not None
        }
        for variant in result.everyone
        if variant.name in (BASE, verdict.variant)
    }
    own, base = by_seed.get(verdict.variant, {}), by_seed.get(BASE, {})
    return tuple(own[seed] - base[seed] for seed in own if seed in base)


def _tip(verdict: Verdict, shown: str) -> str:
    metric = verdict.metric
    values = [
        f"{name} {quantity.value_words(metric, value)}"
        for name, value in (("base", verdict.base_value), (verdict.variant, verdict.value))
        if value is not None
    ]
    tested = [quantity.chance_words(verdict.p)] if verdict.p is not None else []
    if verdict.p_adjusted is not None:
        tested.append(f"{quantity.chance_words(verdict.p_adjusted)} adjusted")
    return "\n".join([verdict.variant, shown, *values, verdict.verdict, *([", ".join(tested)] if tested else [])])
