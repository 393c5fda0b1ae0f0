"""A recipe's source as a stream of documents, wherever they come from."""

import hashlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from smidgen.data.document import Document, Rejected
from smidgen.data.exhaustion import Exhaustion
from smidgen.data.file_parts import FilePart, whole_file
from smidgen.data.files import local_files
from smidgen.data.generated_parts import settings_of
from smidgen.data.listing import list_source
from smidgen.data.parts import Part, read_part, whole_parts_of
from smidgen.data.rows import no_documents
from smidgen.recipes.mixture import Source


def open_source(
    name: str, source: Source, *, seed: int, cache: Path | None, rejected: Counter[str]
) -> Generator[Document, None, None]:
    """Yield the documents of a source, each text once.

    ``seed`` drives the generators, ``cache`` is a folder for what takes long to extract. ``rejected`` counts the
    rows that are no documents by reason, and the "duplicate" texts. Generators end only when they have hardly
    anything new to give, which most never do: stop reading.
    Raises ``BadInput`` for files and datasets that cannot be read, ``OutOfResources`` when the hub does not answer.
    """
    listing = list_source(name, source, seed=seed, cache=cache)
    documents = documents_of(whole_parts_of(listing), rejected, where=f"source {name!r} ({source.origin})")
    if source.generator:
        return without_duplicates(_generated(documents, name), rejected, until_exhausted=True)
    return without_duplicates(documents, rejected)


def _generated(documents: Iterator[Document], name: str) -> Iterator[Document]:
    with settings_of(name):
        yield from documents


def read_documents(paths: Sequence[str], *, text_key: str, rejected: Counter[str]) -> Iterator[Document]:
    """Yield the documents of files, folders and glob patterns, in the order given, each sorted by name.

    ``text_key`` is the key or column that holds the text of a row. Rows that cannot be used are counted in
    ``rejected`` by the reasons of `smidgen.data.rows`, so that rows read = documents + rejected. Ids are "name:id"
    where a row has an id of its own (a string or whole number, new in its file), else "name#line"; pieces of a text
    are "name#1", "name#2" ... A name is relative to the folder or pattern given.
    Raises ``BadInput`` at once for paths without a readable file, and on reading for a file that is damaged or
    without the key in its first row, and when there is no document at all.
    """
    parts = [whole_file(file, text_key=text_key) for file in local_files(paths)]
    return documents_of(parts, rejected, where=", ".join(paths))


def documents_of(parts: Iterable[Part], rejected: Counter[str], *, where: str) -> Iterator[Document]:
    """Yield the documents of parts one after the other and count the other rows in ``rejected`` by reason.

    A document with the id of an earlier one of its file goes by its place: rows that share an id would all fall on
    one side of the held-out split. Raises ``BadInput``, which names ``where``, when there is no document at all.
    """
    file, seen = "", set[bytes]()
    documents = 0
    for part in parts:
        if isinstance(part, FilePart) and part.file.location != file:
            file, seen = part.file.location, set()
        for item in read_part(part):
            if isinstance(item, Rejected):
                rejected[item.reason] += 1
                continue
            documents += 1
            # Only rows with an id of their own can repeat one.
            if item.id != item.place and item.place:
                digest = hashlib.blake2b(item.id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
                item = replace(item, id=item.place) if digest in seen else item
                seen.add(digest)
            yield item
    if not documents:
        raise no_documents(where, rejected)


def without_duplicates(
    documents: Iterable[Document], rejected: Counter[str], *, until_exhausted: bool = False
) -> Generator[Document, None, None]:
    """Yield documents whose text did not come before; count the others as "duplicate".

    Texts are compared by 8-byte digests: with ten million documents the chance that any is lost is 3 in a million.
    With ``until_exhausted`` it ends where hardly any is new.
    """
    seen: set[bytes] = set()
    exhaustion = Exhaustion()
    for number, document in enumerate(documents, start=1):
        digest = hashlib.blake2b(document.text.encode(), digest_size=8).digest()
        if digest in seen:
            rejected["duplicate"] += 1
        else:
            seen.add(digest)
            yield document
        if until_exhausted and exhaustion.is_reached(number, len(seen)):
            return
