"""Which documents are held out: decided by their ids, so that no later run can train on them."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence

from smidgen.data.document import Document
from smidgen.errors import BadInput

# At the usual fraction of 0.01 fewer documents than this would leave the hash with none or a handful (assumed).
SMALL_SOURCE_DOCUMENTS = 400
SMALL_SOURCE_FRACTION = 0.05


def is_held_out(document_id: str, fraction: float) -> bool:
    """Whether the id's hash lies among the lowest ``fraction`` of all hashes.

    The hash is the BLAKE2b digest of 8 bytes of the id in UTF-8, read as a big-endian number.
    """
    return _hash(document_id) < fraction * 2**64


def split_small(ids: Sequence[str], fraction: float, *, source: str = "the source") -> set[str]:
    """The ids that a small source holds out: those with the smallest hashes.

    They are ``max(fraction, 0.05)`` of the distinct ids, rounded to the nearest whole number, at least 1.
    Raises ``BadInput`` when there are fewer than 2 distinct ids, because training and scoring need one each.
    """
    distinct = sorted(set(ids), key=lambda document_id: (_hash(document_id), document_id))
    if len(distinct) < 2:
        raise BadInput(
            f"{source} has {len(distinct)} document(s) and at least 2 are needed, one to train on and one held out "
            "to score: give more text or more files (a .txt file of over 8,000 characters is cut into several)"
        )
    return set(distinct[: max(1, round(max(fraction, SMALL_SOURCE_FRACTION) * len(distinct)))])


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
    chosen = _held_out_of_first([document.id for document in first], fraction, source)
    yield from ((document, document.id in chosen) for document in first)
    yield from ((document, is_held_out(document.id, fraction)) for document in stream)


def _held_out_of_first(ids: list[str], fraction: float, source: str) -> set[str]:
    if len(ids) < SMALL_SOURCE_DOCUMENTS:
        return split_small(ids, fraction, source=source)
    return {document_id for document_id in ids if is_held_out(document_id, fraction)} or {min(ids, key=_hash)}


def _hash(document_id: str) -> int:
    # File names that are not UTF-8 and ids from JSON escapes may hold lone surrogates.
    encoded = document_id.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "big")
