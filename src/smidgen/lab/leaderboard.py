"""All models of the registry beside each other, each with the ranks that its scores allow."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from smidgen.evaluation.intervals import Z_95
from smidgen.lab.comparison import matched_pairs, metric_of, why_not_comparable
from smidgen.lab.difference import LEVEL
from smidgen.lab.holm import holm
from smidgen.lab.metric import Metric
from smidgen.lab.paired import p_value
from smidgen.lab.published import PublishedModel
from smidgen.lab.score_record import ScoreRecord, labelled, merged


def leaderboard(records: Sequence[ScoreRecord], references: Sequence[PublishedModel]) -> dict[str, Any]:
    """One row for each measured model, best Intelligence Index first, and the self-reported rows below.

    ``records`` come newest first; those of the same weights become one row. In each task a model's rank is an
    interval: from one more than the number of models that are better than it, to the number of models less those
    that are worse, both beyond doubt (paired tests over the items two models share, Holm over all tests of the
    table). References have no items, so that nothing can be said about their ranks.
    """
    models = labelled(_by_weights(records))
    better = _better(models)
    rows = [_row(model, models, better) for model in models]
    rows.sort(key=lambda row: (row["index"] is None, -(row["index"] or 0.0), row["model"]))
    return {"models": rows, "references": [model.as_dict() for model in references]}


def _by_weights(records: Sequence[ScoreRecord]) -> list[ScoreRecord]:
    groups: dict[str, list[ScoreRecord]] = {}
    for number, record in enumerate(records):
        groups.setdefault(record.weights_sha256 or f"unknown {number}", []).append(record)
    return [merged(group) for group in groups.values()]


def _better(models: Sequence[ScoreRecord]) -> set[tuple[str, str, str]]:
    """(task, better model, worse model) for each difference that stands all tests of the table together."""
    tests = [test for a, b in combinations(models, 2) for test in _tests(a, b)]
    adjusted = holm([p for p, _ in tests])
    return {order for (_, order), p in zip(tests, adjusted, strict=True) if p < LEVEL}


def _tests(a: ScoreRecord, b: ScoreRecord) -> list[tuple[float, tuple[str, str, str]]]:
    found = []
    for name in a.tasks:
        task_a, task_b = a.task(name), b.task(name)
        metric = metric_of(task_a, task_b, None) if task_a and task_b else None
        if (
            task_a is None
            or task_b is None
            or metric is None
            or why_not_comparable(a.tokenizer_sha256, b.tokenizer_sha256, metric)
        ):
            continue
        try:
            pairs, _ = matched_pairs(task_a, task_b, metric)
        except ValueError:
            continue
        b_wins = (pairs.mean_difference < 0) == metric.lower_is_better
        winner, loser = (b, a) if b_wins else (a, b)
        found.append((p_value(pairs.differences)[0], (name, winner.label, loser.label)))
    return found


def _row(model: ScoreRecord, models: Sequence[ScoreRecord], better: set[tuple[str, str, str]]) -> dict[str, Any]:
    scores = {}
    for name, task in model.tasks.items():
        rivals = sum(1 for other in models if other.task(name))
        lost = sum(1 for where, _, loser in better if where == name and loser == model.label)
        won = sum(1 for where, winner, _ in better if where == name and winner == model.label)
        score = task.metrics[task.primary.name]
        scores[name] = {
            "metric": task.primary.name,
            **{key: score.get(key) for key in ("value", "low", "high", "n")},
            "limit": task.limit,
            "rank": [1 + lost, rivals - won] if task.items else None,
        }
    return {
        "model": model.label,
        "parameters": model.parameters,
        "kind": "measured",
        "index": model.content.get("index"),
        "rank": _index_rank(model, models),
        "precision": model.content.get("settings", {}).get("precision"),
        "weights_sha256": model.content.get("weights_sha256"),
        "scores": scores,
    }


def _index_rank(model: ScoreRecord, models: Sequence[ScoreRecord]) -> list[int] | None:
    """Range of ranks by the Intelligence Index, as far as its intervals tell models apart; None without an index.

    The models answer the same items, so that their errors go together and the difference is surer than assumed.
    """
    mine = _index(model)
    if mine is None:
        return None
    others = [theirs for other in models if other is not model and (theirs := _index(other)) is not None]
    beyond = [(theirs[0] - mine[0]) / max(math.hypot(theirs[1], mine[1]), 1e-12) for theirs in others]
    return [1 + sum(z > Z_95 for z in beyond), 1 + len(others) - sum(z < -Z_95 for z in beyond)]


def _index(model: ScoreRecord) -> tuple[float, float] | None:
    """Value and standard error."""
    found = model.content.get("indices", {}).get("intelligence_index")
    return None if found is None else (found["value"], (found["high"] - found["low"]) / (2 * Z_95))


def columns(board: dict[str, Any]) -> list[tuple[str, Metric]]:
    """Tasks with their metric: those of the measured models, then those in which several references can be compared.

    Either way what most models have comes first.
    """
    measured = Counter((task, score["metric"]) for row in board["models"] for task, score in row["scores"].items())
    reported = Counter(
        (task, metric) for row in board["references"] for task, metrics in row["scores"].items() for metric in metrics
    )
    shown = [key for key, _ in measured.most_common()]
    shown += [key for key, count in reported.most_common() if count > 1 and key not in measured]
    return [(task, Metric(metric)) for task, metric in shown]
