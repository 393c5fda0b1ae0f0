"""What others report of models of about the same size, beside what was measured here."""

from dataclasses import dataclass

from smidgen.lab.metric import Metric
from smidgen.lab.published import PublishedModel, published_models
from smidgen.reports import words
from smidgen.reports.run_records import RunRecords
from smidgen.reports.score_words import with_interval
from smidgen.reports.stored.scores import Score

MOST_PEERS = 5
# A model four times as large is another kind of model; within it the nearest are shown.
FARTHEST_FACTOR = 4.0


@dataclass(frozen=True, kw_only=True)
class PeerTable:
    """``rows`` hold the task with its metric, this run's score, and one cell for each peer."""

    peers: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[str, ...]], ...]
    sources: tuple[str, ...]


def peer_table(records: RunRecords) -> PeerTable | None:
    """None where no task of the run is reported by a model of its size, but for the one that the recipe copies."""
    if not (records.design and records.scores):
        return None
    measured = {(score.task, score.metric): score for score in records.scores.scores if not score.is_detail}
    copied = records.recipe.source if records.recipe else ""
    others = [model for model in published_models() if copied not in model.sources]
    near = [model for model in others if _is_near(model.parameters, records.design.total)]
    peers = [model for model in near if any(_reported(model, *key) is not None for key in measured)]
    total = records.design.total
    peers = sorted(peers, key=lambda model: abs((model.parameters or 0) - total))[:MOST_PEERS]
    rows = tuple(_row(score, peers) for key, score in measured.items() if _any_reports(peers, *key))
    if not rows:
        return None
    return PeerTable(
        peers=tuple(f"{model.name}, {words.count(model.parameters or 0)}" for model in peers),
        rows=rows,
        sources=tuple(f"{model.name}: {source}" for model in peers for source in model.sources),
    )


def _is_near(parameters: int | None, total: int) -> bool:
    return parameters is not None and max(parameters, total) <= FARTHEST_FACTOR * min(parameters, total)


def _any_reports(peers: list[PublishedModel], task: str, metric: str) -> bool:
    return any(_reported(model, task, metric) is not None for model in peers)


def _row(score: Score, peers: list[PublishedModel]) -> tuple[str, str, tuple[str, ...]]:
    cells = tuple(_cell(_reported(model, score.task, score.metric), score.metric) for model in peers)
    return f"{score.task}, {score.metric}", with_interval(score), cells


def _reported(model: PublishedModel, task: str, metric: str) -> float | None:
    return model.scores.get(task, {}).get(metric)


def _cell(value: float | None, metric: str) -> str:
    if value is None:
        return "–"
    return f"{value:,.1f}" if Metric(metric).units else words.percent(value, 2)
