"""``smidgen data check``: what is wrong with built data or with files of text."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smidgen.data.document import Document
from smidgen.errors import BadInput
from smidgen.recipes.quality import QualitySettings
from smidgen.recipes.validation import validated
from smidgen.tokenization.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """With which evaluation sets to compare, none if neither data nor tasks are given, and where to list findings."""

    eval_data: Path | None
    tasks: str | None
    listing: Path | None

    @property
    def is_wanted(self) -> bool:
        return self.eval_data is not None or self.tasks is not None


def check_folder(folder: Path, *, tokenizer: Path | None, comparison: Comparison) -> dict[str, Any]:
    """Every byte against its hash, repeated documents by their tokens, and overlap with evaluation sets if wanted.

    Raises ``BadInput`` for damaged data, and without a tokenizer where the text is needed.
    """
    from smidgen.data.quality.stored_documents import stored_documents, stored_duplicates
    from smidgen.data.training_data import open_data
    from smidgen.records.run_folder import RunFolder

    run = RunFolder(folder)
    data = open_data(run.data if run.exists else folder, None, verify=True)
    sides = {"train": data.train, "held-out": data.held_out}
    result = {
        "tokens": data.index["tokens"],
        "shards": data.index["shards"],
        "shares": data.index["shares"],
        "rejected": data.index["rejected"],
        "duplicates": stored_duplicates(sides),
        "contaminated": None,
    }
    if not comparison.is_wanted:
        return result
    opened = _tokenizer(tokenizer or (run.tokenizer if run.exists else None), data.index["tokenizer_fingerprint"])
    found = _findings(stored_documents(sides, opened.decode), QualitySettings(filters="none"), comparison)
    return {**result, "contaminated": found["contaminated"], "skipped": found["skipped"]}


def check_text(paths: list[str], *, filters: str, near_duplicates: float, comparison: Comparison) -> dict[str, Any]:
    """The documents of text files: which would be rejected and why, and which hold items of evaluation sets."""
    from smidgen.data.sources import read_documents

    wanted = {"filters": filters, "near_duplicates": near_duplicates}
    unread: Counter[str] = Counter()
    documents = (
        (path, document) for path in paths for document in read_documents([path], text_key="text", rejected=unread)
    )
    found = _findings(documents, validated(QualitySettings, wanted, origin="data check"), comparison)
    rejected = unread + Counter(found["rejected"])
    return {"tokens": None, "shards": None, "shares": None, **found, "rejected": dict(sorted(rejected.items()))}


def _findings(
    documents: Iterable[tuple[str, Document]], settings: QualitySettings, comparison: Comparison
) -> dict[str, Any]:
    from smidgen.data.quality.check import check_documents
    from smidgen.data.quality.contamination import ContaminationIndex
    from smidgen.evaluation.tasks.documents import EvalData
    from smidgen.evaluation.tasks.evaluation_index import evaluation_index

    index: ContaminationIndex | None = None
    skipped: dict[str, str] = {}
    if comparison.is_wanted:
        data = EvalData(comparison.eval_data)
        named = [name.strip() for name in (comparison.tasks or "").split(",") if name.strip()]
        index, skipped = evaluation_index(
            replace(settings, contamination_tasks=tuple(named)) if named else settings, data
        )
    with _written(comparison.listing) as write:
        findings = check_documents(
            documents,
            limits=settings.limits_in_force,
            near_duplicates=settings.near_duplicates,
            index=index,
            on_finding=write,
        )
    return {
        "documents": findings.documents,
        "text_bytes": findings.text_bytes,
        "rejected": dict(sorted(findings.rejected.items())),
        "contaminated": findings.contaminated,
        "skipped": skipped,
    }


def _tokenizer(folder: Path | None, fingerprint: str) -> Tokenizer:
    if folder is None:
        raise BadInput("the text of built data is needed to compare it; give the tokenizer with --tokenizer FOLDER")
    tokenizer = Tokenizer.open(folder)
    if tokenizer.fingerprint != fingerprint:
        raise BadInput(f"{folder} is not the tokenizer that these data were built with; give that one")
    return tokenizer


@contextmanager
def _written(path: Path | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Writes each record as a line of JSON, or nowhere."""
    if path is None:
        yield lambda record: None
        return
    try:
        # ASCII: an id from a file may hold half of a surrogate pair, which only an escape can carry.
        with path.open("w", encoding="ascii") as file:
            yield lambda record: print(json.dumps(record), file=file)
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}); give another file with --list") from error
