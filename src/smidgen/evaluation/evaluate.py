"""Scoring a model on named tasks, and the record of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import BadInput, Interrupted
from smidgen.evaluation.conditions import Conditions
from smidgen.evaluation.named_tasks import DEFAULT_TASKS, find_task, needs_hub, others, why_skipped
from smidgen.evaluation.scoring.scorer import scorer_for
from smidgen.evaluation.task import TaskOutcome
from smidgen.evaluation.tasks.documents import OutOfReach
from smidgen.evaluation.tasks.indices import indices
from smidgen.evaluation.tasks.suites import expand
from smidgen.evaluation.unfinished import FinishedTask, Unfinished
from smidgen.native.location import default_cache
from smidgen.records.environment import versions

# The number format of the products, by precision.
_DTYPES = {"exact": "float32", "fast": "int8 or bfloat16, float32 where these cannot decide"}


def evaluate(
    model: OpenModel,
    tasks: Sequence[str] = DEFAULT_TASKS,
    conditions: Conditions = Conditions(),  # noqa: B008 - it is frozen
    *,
    on_task: Callable[[str], None] = lambda task: None,
    unfinished: Unfinished | None = None,
) -> dict[str, Any]:
    """Score ``tasks`` and suites of tasks, and return one plain record, per-item results included.

    Tasks that cannot be scored here are listed under ``skipped`` with the reason. Finished ones are kept in
    ``unfinished``, where a repeated call finds them; the caller discards it when the record is stored. Raises
    ``BadInput`` for an unknown task and when none is left, ``Interrupted`` when asked to stop, ``CheckFailed`` for a
    model that returns NaN.
    """
    started = time.monotonic()
    limits = {name: _smaller(limit, conditions.limit) for name, limit in expand(tasks, others=others(tasks))}
    unfinished = unfinished or Unfinished()
    finished = unfinished.begin(model, conditions, limits)
    earlier_seconds = sum(task.seconds for task in finished.values())
    try:
        skipped = _score_rest(model, conditions, limits, finished, unfinished=unfinished, on_task=on_task)
    except Interrupted as error:
        if unfinished.path is None or not finished:
            raise
        done = f"{len(finished)} of {len(limits)} tasks finished"
        raise Interrupted(f"scoring was stopped with {done}; repeat the command to go on") from error
    if not finished:
        details = "; ".join(f"{task}: {reason}" for task, reason in skipped.items()) or "none was named"
        raise BadInput(f"no task can be scored ({details})")
    outcomes = [finished[name].outcome for name in limits if name in finished]
    return _record(model, conditions, outcomes, skipped, seconds=earlier_seconds + time.monotonic() - started)


def _score_rest(
    model: OpenModel,
    conditions: Conditions,
    limits: Mapping[str, int | None],
    finished: dict[str, FinishedTask],
    *,
    unfinished: Unfinished,
    on_task: Callable[[str], None],
) -> dict[str, str]:
    """Add what is not ``finished`` yet to it, one task after the other; return why others cannot be scored here."""
    skipped: dict[str, str] = {}
    out_of_reach = ""
    for name in [name for name in limits if name not in finished]:
        mine = replace(conditions, limit=limits[name])
        # Where one benchmark does not come from the hub, asking for the others would only cost their time-outs.
        reason = why_skipped(model, name, mine) or (out_of_reach if needs_hub(name, mine) else "")
        if not reason:
            on_task(name)
            try:
                finished[name] = _scored(model, name, mine)
                unfinished.keep(name, finished[name])
            except OutOfReach as error:
                reason, out_of_reach = str(error), f"not asked for after {name}, which the hub did not give"
        if reason:
            skipped[name] = reason
    return skipped


def _smaller(limit: int | None, other: int | None) -> int | None:
    return min((value for value in (limit, other) if value is not None), default=None)


def _scored(model: OpenModel, name: str, conditions: Conditions) -> FinishedTask:
    started = time.monotonic()
    outcome = _limited(find_task(name)(model, conditions), limit=conditions.limit)
    return FinishedTask(outcome=outcome, seconds=time.monotonic() - started)


def _limited(outcome: TaskOutcome, *, limit: int | None) -> TaskOutcome:
    """The outcome with the limit that its task was scored under, be it the command's or a suite's."""
    for task in outcome.scores:
        if "/" not in task:
            outcome.settings.setdefault(task, {})["limit"] = limit
    return outcome


def _record(
    model: OpenModel,
    conditions: Conditions,
    outcomes: Sequence[TaskOutcome],
    skipped: dict[str, str],
    *,
    seconds: float,
) -> dict[str, Any]:
    items = [item for outcome in outcomes for item in outcome.items]
    scores = {
        task: {metric: score.as_dict() for metric, score in metrics.items()}
        for outcome in outcomes
        for task, metrics in outcome.scores.items()
    }
    settings = {task: setting for outcome in outcomes for task, setting in outcome.settings.items()}
    whole = {task: metrics for task, metrics in scores.items() if settings.get(task, {}).get("limit") is None}
    combined = indices(whole)
    notice = scorer_for(model.decoder, cache=default_cache()).notice
    return {
        "model": model.name,
        "parameters": sum(parameter.numel() for parameter in model.decoder.parameters()),
        "weights_sha256": model.weights_sha256,
        "tokenizer_sha256": model.tokenizer.fingerprint,
        "settings": {
            "precision": conditions.precision,
            "dtype": _DTYPES[conditions.precision],
            "limit": conditions.limit,
            "seed": conditions.seed,
            "max_length": model.max_length or model.config.context_length,
            "device": str(model.decoder.embed_tokens.weight.device),
            "tasks": settings,
        },
        "versions": versions(),
        "seconds": round(seconds, 2),
        "items_per_second": round(len(items) / max(seconds, 1e-9), 1),
        "index": combined.get("intelligence_index", {}).get("value"),
        "indices": combined,
        "data": {task: facts for outcome in outcomes for task, facts in outcome.data.items()},
        "scores": scores,
        # Of tasks whose groups lie in each other: BLiMP's phenomena hold its sets.
        "outer_groups": _outer_groups(items),
        "baselines": {task: values for outcome in outcomes for task, values in outcome.baselines.items()},
        "skipped": skipped,
        "warnings": [*([notice] if notice else []), *(line for outcome in outcomes for line in outcome.warnings)],
        "items": items,
    }


def _outer_groups(items: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for item in items:
        if len(item.get("groups", [])) > 1:
            found.setdefault(item["task"], {})[item["groups"][0]] = None
    return {task: list(groups) for task, groups in found.items()}
