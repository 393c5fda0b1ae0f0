"""Bits per byte on held-out documents, and what general compressors need for the same text."""

import gzip
import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smidgen.data.training_data import TrainingData
from smidgen.evaluation.rolling import rolling_nats
from smidgen.evaluation.score import Score, bits_per_byte
from smidgen.model.decoder import Decoder


@dataclass(frozen=True, slots=True)
class HeldOutDocument:
    """Token ids, the first of which is the document separator that starts it, and the text's UTF-8 bytes."""

    ids: tuple[int, ...]
    text_bytes: int


def document_nats(
    decoder: Decoder,
    documents: Sequence[HeldOutDocument],
    *,
    max_length: int | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> list[float]:
    """Surprise of each document in nats, every token predicted exactly once (``rolling.windows``)."""
    if not documents:
        return []
    prefix = documents[0].ids[0]
    return rolling_nats(
        decoder,
        [document.ids[1:] for document in documents],
        prefix=prefix,
        max_length=max_length,
        stop_requested=stop_requested,
    )


def held_out_documents(data: TrainingData, source: str, *, most_bytes: int | None = None) -> list[HeldOutDocument]:
    """The held-out documents of a source in order, at least one and at most about ``most_bytes`` of text."""
    documents: list[HeldOutDocument] = []
    taken = 0
    for ids, text_bytes in data.held_out_documents(source):
        if most_bytes is not None and taken >= most_bytes:
            break
        documents.append(HeldOutDocument(tuple(ids.tolist()), text_bytes))
        taken += text_bytes
    return documents


def score_held_out(
    decoder: Decoder, documents: Sequence[HeldOutDocument], *, stop_requested: Callable[[], bool] = lambda: False
) -> Score:
    """Bits per byte over all documents, with an interval over documents."""
    nats = document_nats(decoder, documents, stop_requested=stop_requested)
    return bits_per_byte(nats, [document.text_bytes for document in documents])


def compressed_bits_per_byte(text: bytes) -> dict[str, float]:
    """What gzip -9 and xz -9e need for the same text, given to them whole."""
    if not text:
        raise ValueError("there is no text to compress")
    packed = {"gzip": gzip.compress(text, 9, mtime=0), "xz": lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)}
    return {name: 8 * len(content) / len(text) for name, content in packed.items()}
