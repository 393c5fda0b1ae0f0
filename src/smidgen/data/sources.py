"""A recipe's source as a stream of documents, wherever they come from."""

import hashlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from smidgen.data.document import Document
from smidgen.data.files import read_documents
from smidgen.errors import BadInput
from smidgen.recipes.mixture import Source

# More than any run can read; the generators compute document i from (seed, i) alone, one at a time.
ENDLESS_DOCUMENTS = 10**12


def open_source(
    name: str, source: Source, *, seed: int, cache: Path | None, rejected: Counter[str]
) -> Generator[Document, None, None]:
    """Yield the documents of a source, each text once.

    ``seed`` drives the generators, ``cache`` is a folder for what takes long to extract. ``rejected`` counts the
    rows that are no documents by reason, and the "duplicate" texts. Generators do not end: stop reading.
    Raises ``BadInput`` for a hub dataset and for files that cannot be read.
    """
    return without_duplicates(_documents(name, source, seed, cache, rejected), rejected)


def without_duplicates(documents: Iterable[Document], rejected: Counter[str]) -> Generator[Document, None, None]:
    """Yield documents whose text did not come before; count the others as "duplicate".

    Texts are compared by 8-byte digests: with ten million documents the chance that any is lost is 3 in a million.
    """
    seen: set[bytes] = set()
    for document in documents:
        digest = hashlib.blake2b(document.text.encode(), digest_size=8).digest()
        if digest in seen:
            rejected["duplicate"] += 1
        else:
            seen.add(digest)
            yield document


def _documents(
    name: str, source: Source, seed: int, cache: Path | None, rejected: Counter[str]
) -> Iterator[Document]:
    if source.hub:
        raise BadInput(
            f"source {name!r} is the hub dataset {source.origin} and this version reads local files only: "
            f"give --data {name}=PATH, or --data text=PATH for all text sources"
        )
    if source.files:
        return read_documents(source.files, text_key=source.text, rejected=rejected)
    return _generated(source.generator, seed, cache)


def _generated(generator: str, seed: int, cache: Path | None) -> Iterator[Document]:
    if generator == "arithmetic":
        from smidgen.data.arithmetic import arithmetic_documents

        return arithmetic_documents(seed=seed, documents=ENDLESS_DOCUMENTS)
    if generator == "grammar":
        from smidgen.data.grammar import grammar_documents

        return grammar_documents(seed=seed, documents=ENDLESS_DOCUMENTS)
    from smidgen.data.installed_docs import installed_documents

    return installed_documents(cache=cache)
