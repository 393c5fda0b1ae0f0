"""Scoring whole documents: perplexity per word, byte and token, and bits per byte (WikiText)."""

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from smidgen.checkpoints.open_model import OpenModel
from smidgen.evaluation.multiple_choice import DECIMALS
from smidgen.evaluation.pair_encoding import prefix_id
from smidgen.evaluation.refusal import refuse_nan
from smidgen.evaluation.rolling import rolling_nats
from smidgen.evaluation.score import Score, bits_per_byte, perplexity
from smidgen.evaluation.task import TaskOutcome
from smidgen.evaluation.tasks.item import Document, Task


def score_documents(
    model: OpenModel,
    task: Task,
    *,
    stop_requested: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda scored: None,
) -> TaskOutcome:
    """Score every document in float32. Words and bytes are those of the original text, as the harness counts them.

    Raises ``CheckFailed`` for a model that returns NaN, ``Interrupted`` when asked to stop.
    """
    items = cast(Sequence[Document], task.items)
    texts = model.tokenizer.encode_batch([item.text for item in items])
    nats = rolling_nats(
        model.decoder,
        texts,
        prefix=prefix_id(model.tokenizer),
        max_length=model.max_length,
        stop_requested=stop_requested,
        on_progress=on_progress,
    )
    refuse_nan(task.name, nats)
    records: list[dict[str, Any]] = [
        {
            "task": task.name,
            "item": item.key,
            "groups": list(item.groups),
            "nats": round(value, DECIMALS),
            "bytes": len(item.original.encode()),
            # The harness counts the empty strings at both ends too.
            "words": len(re.split(r"\s+", item.original)),
            "tokens": len(ids),
        }
        for item, ids, value in zip(items, texts, nats, strict=True)
    ]
    parts = {task.name: records}
    for record in records:
        for group in record["groups"]:
            parts.setdefault(f"{task.name}/{group}", []).append(record)
    scores = {name: document_scores(mine) for name, mine in parts.items()}
    return TaskOutcome(scores=scores, baselines={task.name: task.baselines}, items=records)


def document_scores(records: Sequence[dict[str, Any]]) -> dict[str, Score]:
    """Totals over totals: a long document counts for more, as in the harness."""
    nats = [record["nats"] for record in records]
    counts = {unit: [record[unit] for record in records] for unit in ("words", "bytes", "tokens")}
    return {
        "word_perplexity": perplexity(nats, counts["words"]),
        "byte_perplexity": perplexity(nats, counts["bytes"]),
        "bits_per_byte": bits_per_byte(nats, counts["bytes"]),
        "token_perplexity": perplexity(nats, counts["tokens"]),
    }
