"""The task "bits-per-byte": a run's held-out documents, by source and in all, beside gzip and xz."""

from collections.abc import Callable, Sequence
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.training_data import TrainingData
from smidgen.evaluation.held_out import compressed_bits_per_byte, document_nats, held_out_documents
from smidgen.evaluation.refusal import refuse_nan
from smidgen.evaluation.score import Score, bits_per_byte
from smidgen.evaluation.task import TaskOutcome

TASK = "bits-per-byte"


def score_bits_per_byte(
    model: OpenModel, data: TrainingData, *, limit: int | None, stop_requested: Callable[[], bool]
) -> TaskOutcome:
    """Score every held-out document (the first ``limit`` of each source) in float32.

    Raises ``CheckFailed`` for a model that returns NaN, ``Interrupted`` when asked to stop.
    """
    scores, baselines, items = {}, {}, []
    all_text = bytearray()
    for source in data.held_out:
        documents = held_out_documents(data, source)[:limit]
        nats = document_nats(model.decoder, documents, stop_requested=stop_requested)
        refuse_nan(TASK, nats)
        # The tokenizer is lossless, so the ids give back the very text that was held out.
        texts = [model.tokenizer.decode(document.ids[1:]) for document in documents]
        mine = [
            {
                "task": TASK,
                "item": f"{source}/{number}",
                "groups": [source],
                "nats": value,
                "bytes": document.text_bytes,
                "words": len(text.split()),
                "tokens": len(document.ids) - 1,
            }
            for number, (document, text, value) in enumerate(zip(documents, texts, nats, strict=True))
        ]
        text = "".join(texts).encode()
        scores[f"{TASK}/{source}"] = {"bits_per_byte": _score(mine)}
        baselines[f"{TASK}/{source}"] = compressed_bits_per_byte(text)
        items += mine
        all_text += text
    scores = {TASK: {"bits_per_byte": _score(items)}, **scores}
    baselines = {TASK: compressed_bits_per_byte(bytes(all_text)), **baselines}
    return TaskOutcome(scores=scores, baselines=baselines, items=items)


def _score(items: Sequence[dict[str, Any]]) -> Score:
    return bits_per_byte([item["nats"] for item in items], [item["bytes"] for item in items])
