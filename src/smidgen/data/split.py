"""Which documents are held out: decided by their ids, so that no later run can train on them."""

import hashlib
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from smidgen.data.document import Document
from smidgen.errors import BadInput

Hashes = npt.NDArray[np.uint64]

# At the usual fraction of 0.01 fewer documents than this would leave the hash with none or a handful (assumed).
SMALL_SOURCE_DOCUMENTS = 400
SMALL_SOURCE_FRACTION = 0.05


def is_held_out(document_id: str, fraction: float) -> bool:
    """Whether the id's hash lies among the lowest ``fraction`` of all hashes.

    The hash is `id_hash`.
    """
    return id_hash(document_id) < fraction * 2**64


def split_small(ids: Sequence[str], fraction: float, *, source: str = "the source") -> set[str]:
    """The ids that a small source holds out: those with the smallest hashes.

    They are ``max(fraction, 0.05)`` of the distinct ids, rounded to the nearest whole number, at least 1.
    Raises ``BadInput`` when there are fewer than 2 distinct ids, because training and scoring need one each.
    """
    held_out = _smallest(hashes_of(ids), fraction, source)
    return {document_id for document_id, is_chosen in zip(ids, held_out.tolist(), strict=True) if is_chosen}


def with_sides(
    documents: Iterable[Document], fraction: float, *, source: str = "the source"
) -> Iterator[tuple[Document, bool]]:
    """Yield each document with whether it is held out, in order.

    The rule, which depends on the documents alone and not on how many of them are used:

    1. A source of fewer than 400 documents is split by `split_small`.
    2. In a larger one `is_held_out` decides for each document. Only when it chooses none of the first 400 is the
       one with the smallest hash among them held out as well, so that every source has a held-out side.

    Raises ``BadInput`` for a source of one document. A source without documents yields nothing.
    """
    stream = iter(documents)
    first = list(itertools.islice(stream, SMALL_SOURCE_DOCUMENTS))
    if not first:
        return
    held_out = held_out_of_first(hashes_of([document.id for document in first]), fraction, source=source)
    yield from zip(first, held_out.tolist(), strict=True)
    yield from ((document, is_held_out(document.id, fraction)) for document in stream)


def held_out_of_first(hashes: Hashes, fraction: float, *, source: str) -> npt.NDArray[np.bool_]:
    """Which of the first 400 documents of a source, or of all if it has fewer, are held out, by the hashes of ids."""
    if len(hashes) < SMALL_SOURCE_DOCUMENTS:
        return _smallest(hashes, fraction, source)
    held_out = hashes < held_out_below(fraction)
    return held_out if held_out.any() else hashes == hashes.min()


def held_out_below(fraction: float) -> np.uint64:
    """An id whose hash is smaller than this lies among the lowest ``fraction`` of all."""
    return np.uint64(math.ceil(fraction * 2**64))


def hashes_of(ids: Iterable[str]) -> Hashes:
    """The `id_hash` of each id."""
    return np.fromiter(map(id_hash, ids), dtype=np.uint64)


def _smallest(hashes: Hashes, fraction: float, source: str) -> npt.NDArray[np.bool_]:
    distinct = np.unique(hashes)
    if len(distinct) < 2:
        raise BadInput(
            f"{source} has {len(distinct)} document(s) and at least 2 are needed, one to train on and one held out "
            "to score: give more text or more files (a .txt file of over 8,000 characters is cut into several)"
        )
    count = max(1, round(max(fraction, SMALL_SOURCE_FRACTION) * len(distinct)))
    return hashes <= distinct[count - 1]


def id_hash(document_id: str) -> int:
    """The BLAKE2b digest of 8 bytes of an id in UTF-8, read as a big-endian number."""
    # File names that are not UTF-8 and ids from JSON escapes may hold lone surrogates.
    encoded = document_id.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "big")
