"""Parts: slices of a source that can be read alone, anywhere, and in parallel; always the same, in the same order."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from smidgen.data.document import Document, Rejected
from smidgen.data.file_parts import FilePart, parts_of_file, read_file_part, whole_file
from smidgen.data.generated_parts import GeneratedPart, parts_of_generator, read_generated_part, settings_of
from smidgen.data.listing import Listing
from smidgen.data.stored_file import StoredFile

# Assumed: a second or two of tokenising, so that little is tokenised that a build does not need.
PART_BYTES = 4_000_000

Part = FilePart | GeneratedPart


def parts_of(listing: Listing, *, part_bytes: int = PART_BYTES) -> Iterator[Part]:
    """Yield the parts of a source in order; of arithmetic, grammar and the like there is no end.

    A file is looked at only when its first part is asked for. Raises ``BadInput`` for files that cannot be read and
    settings that cannot be met.
    """
    if listing.generator:
        whole = GeneratedPart(
            generator=listing.generator, seed=listing.seed, settings=listing.settings, cache=listing.cache
        )
        with settings_of(listing.name):
            yield from parts_of_generator(whole, part_bytes=part_bytes)
    for file in listing.files:
        yield from parts_of_file(file, text_key=listing.text_key, part_bytes=part_bytes)


def whole_parts_of(listing: Listing) -> Iterator[Part]:
    """Yield a source as few parts, one a file, which need no look at the files: for reading one after the other."""
    if listing.generator:
        yield GeneratedPart(
            generator=listing.generator, seed=listing.seed, settings=listing.settings, cache=listing.cache
        )
    for file in listing.files:
        yield whole_file(file, text_key=listing.text_key)


def read_part(part: Part) -> Iterator[Document | Rejected]:
    """Yield what is in a part, one item for each row: it depends on the part alone.

    Raises ``BadInput`` for a file that has changed, is damaged, or has no text in its first row, and
    ``OutOfResources`` when the hub does not answer: then the part can be read again later.
    """
    return read_file_part(part) if isinstance(part, FilePart) else read_generated_part(part)


def part_to_json(part: Part) -> dict[str, Any]:
    """The part as plain data for a file or another machine."""
    return asdict(part)


def part_from_json(plain: dict[str, Any]) -> Part:
    if "file" in plain:
        return FilePart(**plain | {"file": StoredFile(**plain["file"])})
    return GeneratedPart(**plain)
