"""Scoring a model on named tasks, and the record of it."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.build import open_data
from smidgen.errors import BadInput
from smidgen.evaluation import arithmetic_task, bits_per_byte_task, minimal_pairs_task
from smidgen.evaluation.task import TaskOutcome
from smidgen.records.environment import versions
from smidgen.records.run_folder import RunFolder

TASKS = (bits_per_byte_task.TASK, arithmetic_task.TASK, minimal_pairs_task.TASK)


def evaluate(
    model: OpenModel,
    tasks: Sequence[str],
    *,
    limit: int | None = None,
    seed: int = 0,
    stop_requested: Callable[[], bool] = lambda: False,
    on_task: Callable[[str], None] = lambda task: None,
) -> dict[str, Any]:
    """Score ``tasks`` in float32 and return one plain record, per-item results included.

    Tasks that cannot be scored here are listed under ``skipped`` with the reason. ``limit`` bounds the items of
    each task (of each phenomenon or source, where a task has these). Raises ``BadInput`` when no task is left,
    ``Interrupted`` when asked to stop, ``CheckFailed`` for a model that returns NaN.
    """
    if limit is not None and limit < 1:
        raise BadInput(f"--limit {limit} must be at least 1")
    skipped = {task: reason for task in tasks if (reason := _why_not(model, task))}
    wanted = [task for task in dict.fromkeys(tasks) if task not in skipped]
    if not wanted:
        details = "; ".join(f"{task}: {reason}" for task, reason in skipped.items()) or "none was named"
        raise BadInput(f"no task can be scored ({details}); known are {', '.join(TASKS)}")
    started = time.monotonic()
    outcomes = []
    for task in wanted:
        on_task(task)
        outcomes.append(_outcome(model, task, limit=limit, seed=seed, stop_requested=stop_requested))
    seconds = time.monotonic() - started
    items = [item for outcome in outcomes for item in outcome.items]
    return {
        "model": model.name,
        "weights_sha256": model.weights_sha256,
        "tokenizer_sha256": model.tokenizer.fingerprint,
        "settings": {"precision": "exact", "dtype": "float32", "limit": limit, "seed": seed},
        "versions": versions(),
        "seconds": round(seconds, 2),
        "items_per_second": round(len(items) / max(seconds, 1e-9), 1),
        "index": None,
        "scores": {
            task: {metric: score.as_dict() for metric, score in metrics.items()}
            for outcome in outcomes
            for task, metrics in outcome.scores.items()
        },
        "baselines": {task: values for outcome in outcomes for task, values in outcome.baselines.items()},
        "skipped": skipped,
        "items": items,
    }


def _why_not(model: OpenModel, task: str) -> str:
    if task not in TASKS:
        return "not among the tasks of this version"
    if task == bits_per_byte_task.TASK and not RunFolder(model.path).data.is_dir():
        return "needs the held-out documents of a run folder"
    return ""


def _outcome(
    model: OpenModel, task: str, *, limit: int | None, seed: int, stop_requested: Callable[[], bool]
) -> TaskOutcome:
    if task == arithmetic_task.TASK:
        return arithmetic_task.score_arithmetic(model, limit=limit, seed=seed, stop_requested=stop_requested)
    if task == minimal_pairs_task.TASK:
        return minimal_pairs_task.score_minimal_pairs(model, limit=limit, seed=seed, stop_requested=stop_requested)
    data = open_data(RunFolder(model.path).data, model.tokenizer.fingerprint)
    return bits_per_byte_task.score_bits_per_byte(model, data, limit=limit, stop_requested=stop_requested)
