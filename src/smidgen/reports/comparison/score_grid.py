"""Scores as a table: a row for each task and metric, a column for each model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smidgen.evaluation.score import Score
from smidgen.reports.comparison.contender import Contender
from smidgen.reports.comparison.metrics import interval_words, is_share, value_words

INDEX_NAMES = {"intelligence_index": "Open SLM Intelligence Index", "glint_overall": "Glint Tiny-ML overall"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    value: str
    interval: str = ""
    is_at_chance: bool = False


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """``cells`` hold None where a model has no such score; ``floors`` is what rules without a model reach."""

    label: str
    metric: str = ""
    cells: tuple[Cell | None, ...] = ()
    floors: str = ""


def main_rows(models: Sequence[Contender], metrics: dict[str, str]) -> list[GridRow]:
    """The indices, then each task by the metric to quote."""
    return [*_index_rows(models), *(_row(models, task, metric) for task, metric in metrics.items())]


def all_rows(models: Sequence[Contender]) -> list[GridRow]:
    """Every metric of every whole task."""
    pairs = dict.fromkeys(
        (task, metric) for model in models for task in model.main_tasks for metric in model.record["scores"][task]
    )
    return [_row(models, task, metric) for task, metric in pairs]


def part_rows(models: Sequence[Contender], metric: str, found: Sequence[dict[str, Score]]) -> list[GridRow]:
    """One row for each part of a task, with the scores that each model has for it."""
    names = dict.fromkeys(name for scores in found for name in scores)
    return [
        GridRow(
            label=name,
            cells=tuple(cell(metric, scores[name].as_dict(), None) if name in scores else None for scores in found),
        )
        for name in names
    ]


def cell(metric: str, score: dict[str, Any] | None, chance: float | None) -> Cell | None:
    if score is None:
        return None
    low = score.get("low")
    is_at_chance = chance is not None and low is not None and metric.startswith("acc") and low <= chance
    return Cell(
        value=value_words(metric, score["value"]), interval=interval_words(metric, score), is_at_chance=is_at_chance
    )


def _row(models: Sequence[Contender], task: str, metric: str) -> GridRow:
    return GridRow(
        label=task,
        metric=metric,
        cells=tuple(cell(metric, model.score(task, metric), model.chance(task)) for model in models),
        floors=_floors(models, task, metric),
    )


def _floors(models: Sequence[Contender], task: str, metric: str) -> str:
    """Rules guess among choices: they say nothing about a perplexity."""
    known: dict[str, float] = next(
        (found for model in models if (found := model.record.get("baselines", {}).get(task))), {}
    )
    if not is_share(metric) and metric != "bits_per_byte":
        return ""
    return ", ".join(f"{name.replace('_', ' ')} {value_words(metric, value)}" for name, value in known.items())


def _index_rows(models: Sequence[Contender]) -> list[GridRow]:
    found = [model.record.get("indices") or {} for model in models]
    names = dict.fromkeys(name for indices in found for name in indices)
    return [
        GridRow(
            label=INDEX_NAMES.get(name, name),
            metric="index",
            cells=tuple(_index_cell(indices.get(name)) for indices in found),
        )
        for name in names
    ]


def _index_cell(score: dict[str, Any] | None) -> Cell | None:
    if score is None:
        return None
    has_interval = score.get("low") is not None and score.get("high") is not None
    interval = f"{score['low']:.1f} to {score['high']:.1f}" if has_interval else ""
    return Cell(value=f"{score['value']:.2f}", interval=interval)
