"""The task "bits-per-byte": a run's held-out documents, by source and in all, beside gzip and xz."""

from collections.abc import Callable

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.build import TrainingData
from smidgen.evaluation.held_out import compressed_bits_per_byte, document_nats, held_out_documents
from smidgen.evaluation.score import bits_per_byte
from smidgen.evaluation.task import TaskOutcome

TASK = "bits-per-byte"


def score_bits_per_byte(
    model: OpenModel, data: TrainingData, *, limit: int | None, stop_requested: Callable[[], bool]
) -> TaskOutcome:
    """Score every held-out document (the first ``limit`` of each source) in float32.

    Raises ``Interrupted`` when asked to stop.
    """
    scores, baselines, items = {}, {}, []
    all_nats: list[float] = []
    all_bytes: list[int] = []
    all_text = bytearray()
    for source in data.held_out:
        documents = held_out_documents(data, source)[:limit]
        nats = document_nats(model.decoder, documents, stop_requested=stop_requested)
        sizes = [document.text_bytes for document in documents]
        # The tokenizer is lossless, so the ids give back the very text that was held out.
        text = "".join(model.tokenizer.decode(document.ids[1:]) for document in documents).encode()
        scores[f"{TASK}/{source}"] = {"bits_per_byte": bits_per_byte(nats, sizes)}
        baselines[f"{TASK}/{source}"] = compressed_bits_per_byte(text)
        items += [
            {"task": TASK, "source": source, "document": number, "nats": value, "bytes": size}
            for number, (value, size) in enumerate(zip(nats, sizes, strict=True))
        ]
        all_nats += nats
        all_bytes += sizes
        all_text += text
    scores = {TASK: {"bits_per_byte": bits_per_byte(all_nats, all_bytes)}, **scores}
    baselines = {TASK: compressed_bits_per_byte(bytes(all_text)), **baselines}
    return TaskOutcome(scores=scores, baselines=baselines, items=items)
