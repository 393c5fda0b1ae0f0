"""A row as the Open SLM Leaderboard takes them, from a score record."""

from dataclasses import dataclass
from typing import Any

from smidgen.errors import BadInput
from smidgen.lab.score_record import ScoredTask, ScoreRecord


@dataclass(frozen=True, kw_only=True)
class Column:
    """A field of the row: the task and metric it holds, and the items of the whole task."""

    field: str
    task: str
    metric: str
    items: int


# Metrics and numbers of items as the leaderboard scores them: zero-shot, whole public test or validation splits.
COLUMNS = (
    Column(field="arc", task="arc_easy", metric="acc_norm", items=2376),
    Column(field="hellaswag", task="hellaswag", metric="acc_norm", items=10042),
    Column(field="piqa", task="piqa", metric="acc_norm", items=1838),
    Column(field="arcChall", task="arc_challenge", metric="acc_norm", items=1172),
    Column(field="arithmark3", task="arithmark3", metric="acc_norm", items=1000),
    Column(field="arithmark2", task="arithmark2", metric="acc", items=2500),
)


def leaderboard_row(record: ScoreRecord, *, org: str = "", card: str = "") -> tuple[dict[str, Any], list[str]]:
    """The row, scores in percent, and a sentence for each field that is still to be filled.

    Raises ``BadInput`` for scores of a part of the items, and when no task of the leaderboard was scored.
    """
    scores: dict[str, float | None] = {}
    missing = []
    for column in COLUMNS:
        task = record.tasks.get(column.task)
        if task is None or column.metric not in task.metrics:
            scores[column.field] = None
            missing.append(f"{column.field}: {_why_missing(record, column)}")
        else:
            scores[column.field] = _percent(record, task, column)
    if len([value for value in scores.values() if value is not None]) == 0:
        raise BadInput(
            f"{record.origin} has no score of the Open SLM Leaderboard; run `smidgen evaluate MODEL --tasks open-slm`"
        )
    if record.parameters is None:
        missing.append("params: the record does not hold the number of parameters")
    missing += [f"{field}: give --{field}" for field, value in (("org", org), ("card", card)) if not value]
    row = {
        "name": record.model,
        "org": org,
        "params": record.parameters,
        "paramsDisplay": "" if record.parameters is None else _params_display(record.parameters),
        **scores,
        "links": {"card": card},
    }
    return row, missing


def _percent(record: ScoreRecord, task: ScoredTask, column: Column) -> float:
    score = task.metrics[column.metric]
    if task.limit is not None or score["n"] != column.items:
        raise BadInput(
            f"{record.origin}: {column.task} was scored on {score['n']:,} of {column.items:,} items; the leaderboard "
            "takes whole tasks: repeat `smidgen evaluate` without --limit"
        )
    return round(100 * score["value"], 2)


def _why_missing(record: ScoreRecord, column: Column) -> str:
    if f"{column.task}-generated" in record.tasks:
        return (
            f"only {column.task}-generated was scored, whose items are not those of the official file; "
            f"score {column.task} with the official file"
        )
    return f"{column.task} was not scored"


def _params_display(parameters: int) -> str:
    """ "5.16M", as the leaderboard's own rows show them."""
    return f"{parameters / 1e6:.2f}M" if parameters >= 1e6 else f"{parameters / 1e3:.0f}K"
