"""Scores by part of a task, all models in one chart: phenomena of BLiMP, sources of held-out text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from smidgen.evaluation.score import Score
from smidgen.lab.diagnosis import BITS_PER_BYTE, bits_by_domain, outer_groups, parts
from smidgen.reports import words
from smidgen.reports.charts import forest_plot
from smidgen.reports.comparison.contender import Contender
from smidgen.reports.comparison.metrics import interval_words, is_share, value_words
from smidgen.reports.comparison.score_grid import GridRow, part_rows
from smidgen.reports.page import NARROW, WIDE, Chart

# Of more parts no chart can be read: HellaSwag's 190 activities are left to the score file.
MOST_CHARTED, MOST_LISTED = 30, 100


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """``rows`` are all parts as numbers, the chart shows the outer ones."""

    task: str
    chart: Chart
    rows: list[GridRow]


def breakdowns(models: Sequence[Contender], metrics: dict[str, str]) -> list[Breakdown]:
    """Of each task whose score is a share and that has from 2 to 30 outer parts."""
    found = (_breakdown(models, task, metric) for task, metric in metrics.items() if is_share(metric))
    return [breakdown for breakdown in found if breakdown]


def domains(models: Sequence[Contender]) -> Breakdown | None:
    """Bits per byte of everything that has them."""
    found = [bits_by_domain(model.record) for model in models]
    names = list(dict.fromkeys(name for scores in found for name in scores))
    if not names:
        return None
    rows = [_row(models, found, name, BITS_PER_BYTE, None) for name in names]
    low, high = forest_plot.limits(rows)
    axis = forest_plot.Axis(low=low, high=high, tick_words=lambda tick: f"{tick:.2f}")
    title = "Bits per byte by domain, with 95% intervals; less is better"
    return Breakdown(
        task="bits per byte", chart=_both(title, rows, axis), rows=part_rows(models, BITS_PER_BYTE, found)
    )


def _breakdown(models: Sequence[Contender], task: str, metric: str) -> Breakdown | None:
    found = [parts(model.record, task, metric) for model in models]
    listed = list(dict.fromkeys(name for scores in found for name in scores))
    outer = _outer(models, task, listed)
    if not 2 <= len(outer) <= MOST_CHARTED:
        return None
    outer.sort(key=_gain(found), reverse=True)
    rows = [_row(models, found, name, metric, models[0].chance(f"{task}/{name}")) for name in outer]
    axis = forest_plot.Axis(low=0.0, high=1.0, tick_words=lambda tick: words.percent(tick, 0))
    rest = [name for name in listed if name not in outer][: MOST_LISTED - len(outer)]
    ordered = [{name: scores[name] for name in [*outer, *rest] if name in scores} for scores in found]
    return Breakdown(
        task=task,
        chart=_both(f"{task} by part, with 95% intervals", rows, axis),
        rows=part_rows(models, metric, ordered),
    )


def _outer(models: Sequence[Contender], task: str, listed: list[str]) -> list[str]:
    """Without items, as in a record cut down to its scores, every part is an outer one."""
    groups = set(next((groups for model in models if (groups := outer_groups(model.record, task))), listed))
    return [name for name in listed if name in groups]


def _gain(found: Sequence[dict[str, Score]]) -> Callable[[str], float]:
    """How far the last model is ahead of the first."""
    first, last = found[0], found[-1]
    return lambda name: last[name].value - first[name].value if name in first and name in last else 0.0


def _row(
    models: Sequence[Contender], found: Sequence[dict[str, Score]], name: str, metric: str, chance: float | None
) -> forest_plot.Row:
    scored = [(model, scores[name]) for model, scores in zip(models, found, strict=True) if name in scores]
    lines = [
        f"{model.name} {value_words(metric, score.value)} ({_interval(metric, score)})" for model, score in scored
    ]
    marks = [
        forest_plot.Estimate(value=score.value, low=score.low, high=score.high, colour=model.colour)
        for model, score in scored
    ]
    label = name.replace("_", " ")
    return forest_plot.Row(label=label, estimates=tuple(marks), tip="\n".join([label, *lines]), chance=chance)


def _interval(metric: str, score: Score) -> str:
    return interval_words(metric, score.as_dict())


def _both(title: str, rows: list[forest_plot.Row], axis: forest_plot.Axis) -> Chart:
    drawn: list[Any] = [forest_plot.draw(title, rows, axis, width) for width in (WIDE, NARROW)]
    return Chart(*drawn)
