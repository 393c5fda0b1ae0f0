"""Parts of what the generators write: numbers of documents, each of which can be written alone."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from smidgen.data.document import Document
from smidgen.errors import BadInput
from smidgen.recipes.mixture import Source
from smidgen.records.fingerprint import sha256_of_json

# Documents of a generator are about equally long; so many tell how many make a part.
DOCUMENTS_TO_WEIGH = 16
TO_THE_END = 2**62


@dataclass(frozen=True, kw_only=True)
class GeneratedPart:
    """``documents`` documents of a generator from number ``first`` on.

    ``settings`` are those of the generator as plain data. ``cache`` is the folder for what takes long to extract;
    empty for none.
    """

    generator: str
    seed: int
    settings: dict[str, Any] = field(default_factory=dict)
    cache: str = ""
    first: int = 0
    documents: int = TO_THE_END


@contextmanager
def settings_of(name: str) -> Iterator[None]:
    """Tell whose settings cannot be met: a recipe may have several sources of one generator."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"source {name!r}: {error}") from error


def generator_settings(source: Source) -> dict[str, Any]:
    """The settings of a source's generator, which stand in the field of its name, as plain data."""
    if source.generator == "installed-docs":
        return {"packages": _installed_packages()}
    settings = getattr(source, source.generator.replace("-", "_"), None)
    return asdict(settings) if settings else {}


def parts_of_generator(whole: GeneratedPart, *, part_bytes: int) -> Iterator[GeneratedPart]:
    """Yield parts of about ``part_bytes`` of text, without end unless the generator has one."""
    if whole.generator == "installed-docs":
        yield from _parts_of_installed_docs(whole, part_bytes)
        return
    weighed = list(read_generated_part(replace(whole, documents=DOCUMENTS_TO_WEIGH)))
    mean_bytes = sum(len(document.text.encode()) for document in weighed) / len(weighed)
    documents = max(1, round(part_bytes / mean_bytes))
    for first in itertools.count(0, documents):
        yield replace(whole, first=first, documents=documents)


def read_generated_part(part: GeneratedPart) -> Iterator[Document]:
    """Yield the documents of a part. Raises ``BadInput`` for settings that cannot be met, and for installed
    documentation when other packages are installed here."""
    if part.generator == "installed-docs":
        return itertools.islice(_installed_documents(part), part.first, part.first + part.documents)
    numbers = {"seed": part.seed, "first": part.first, "documents": part.documents}
    if part.generator == "arithmetic":
        from smidgen.data.arithmetic import arithmetic_documents
        from smidgen.recipes.arithmetic import ArithmeticSettings

        return arithmetic_documents(**numbers, settings=ArithmeticSettings(**part.settings))
    if part.generator == "word-problems":
        from smidgen.data.word_problems import word_problem_documents
        from smidgen.recipes.word_problems import WordProblemSettings

        return word_problem_documents(**numbers, settings=WordProblemSettings(**part.settings))
    from smidgen.data.grammar import grammar_documents

    return grammar_documents(**numbers)


def _installed_documents(part: GeneratedPart) -> Iterator[Document]:
    from smidgen.data.installed_docs import installed_documents

    if part.settings != {"packages": _installed_packages()}:
        raise BadInput(
            "the documentation of the installed packages was listed where other versions are installed; "
            "build the data where one environment serves all processes"
        )
    return installed_documents(cache=Path(part.cache) if part.cache else None)


def _installed_packages() -> str:
    from smidgen.data.installed_docs import documentation_versions

    return sha256_of_json(documentation_versions())


def _parts_of_installed_docs(whole: GeneratedPart, part_bytes: int) -> Iterator[GeneratedPart]:
    if not whole.cache:
        # Each part would extract everything again.
        yield whole
        return
    first = size = 0
    for number, document in enumerate(read_generated_part(whole), start=1):
        size += len(document.text.encode())
        if size >= part_bytes:
            yield replace(whole, first=first, documents=number - first)
            first, size = number, 0
    if size:
        yield replace(whole, first=first)
