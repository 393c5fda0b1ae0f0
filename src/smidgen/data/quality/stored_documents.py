"""The documents of built data: compared by their tokens, or turned back into text."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from smidgen.data.document import Document
from smidgen.data.quality.exact_duplicates import SeenDigests, digests_of_bytes
from smidgen.data.shards import Shard

_DOCUMENTS_AT_ONCE = 1_000
# Sides by name, each with the shards of its sources.
Sides = Mapping[str, Mapping[str, Shard]]


def stored_documents(sides: Sides, decode: Callable[[Sequence[int]], str]) -> Iterator[tuple[str, Document]]:
    """Yield source and document of every shard; ids are the side and the number in it, from 0."""
    for side, shards in sides.items():
        for source, shard in shards.items():
            for number in range(len(shard.document_offsets)):
                yield source, Document(id=f"{side}#{number}", text=decode(shard.document(number).tolist()))


def stored_duplicates(sides: Sides) -> int:
    """How many documents have the tokens of an earlier one, within and across sources and sides."""
    seen = SeenDigests()
    duplicates = 0
    for shards in sides.values():
        for shard in shards.values():
            documents = len(shard.document_offsets)
            for first in range(0, documents, _DOCUMENTS_AT_ONCE):
                numbers = range(first, min(documents, first + _DOCUMENTS_AT_ONCE))
                is_new = seen.are_new(digests_of_bytes(shard.document(number).tobytes() for number in numbers))
                duplicates += int((~is_new).sum())
    return duplicates
