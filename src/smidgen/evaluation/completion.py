"""Scoring completions: is every token the most probable one, and how surprising is the whole (LAMBADA)?"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from smidgen.checkpoints.open_model import OpenModel
from smidgen.evaluation.log_likelihood import log_likelihoods
from smidgen.evaluation.multiple_choice import DECIMALS
from smidgen.evaluation.pair_encoding import encode_pairs
from smidgen.evaluation.refusal import refuse_nan
from smidgen.evaluation.score import Score, accuracy, perplexity
from smidgen.evaluation.task import TaskOutcome
from smidgen.evaluation.tasks.item import Completion, Task


def score_completions(
    model: OpenModel,
    task: Task,
    *,
    stop_requested: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda scored: None,
) -> TaskOutcome:
    """Score every item in float32: ``acc`` by greedy decoding, ``perplexity`` of one continuation.

    Raises ``CheckFailed`` for a model that returns NaN, ``Interrupted`` when asked to stop.
    """
    items = cast(Sequence[Completion], task.items)
    encoded, _ = encode_pairs(
        model.tokenizer, [(item.context, item.continuation) for item in items], jointly=task.jointly
    )
    likelihoods = log_likelihoods(
        model.decoder,
        encoded,
        max_length=model.max_length,
        stop_requested=stop_requested,
        on_progress=on_progress,
    )
    refuse_nan(task.name, [likelihood.log_probability for likelihood in likelihoods])
    records = [
        {
            "task": task.name,
            "item": item.key,
            "groups": list(item.groups),
            "log_probability": round(likelihood.log_probability, DECIMALS),
            "tokens": len(pair.continuation),
            "truncated": int(likelihood.truncated),
            "acc": int(likelihood.greedy),
        }
        for item, pair, likelihood in zip(items, encoded, likelihoods, strict=True)
    ]
    return TaskOutcome(scores={task.name: _scores(records)}, baselines={task.name: task.baselines}, items=records)


def _scores(records: Sequence[dict[str, Any]]) -> dict[str, Score]:
    truncated = sum(record["truncated"] for record in records)
    return {
        "acc": accuracy([record["acc"] for record in records], truncated=truncated),
        "perplexity": perplexity(
            [-record["log_probability"] for record in records], [1] * len(records), truncated=truncated
        ),
    }
