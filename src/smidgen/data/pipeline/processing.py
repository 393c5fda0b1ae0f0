"""From a part of a source to a part file: a pure function of the part, the tokenizer and the settings."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from smidgen.batching import batched
from smidgen.data.document import Document, Rejected
from smidgen.data.parts import Part, part_to_json, read_part
from smidgen.data.pipeline.part_file import COLUMNS, SIGNATURE_WORDS, PartWriter, Rows
from smidgen.data.quality import near_duplicates
from smidgen.data.quality.batches import batches
from smidgen.data.quality.contamination import ContaminationIndex, Hits
from smidgen.data.quality.exact_duplicates import digests
from smidgen.data.quality.filters import reject_reasons
from smidgen.data.split import held_out_below, id_hash
from smidgen.errors import Interrupted
from smidgen.recipes.mixture import written_by_people
from smidgen.recipes.quality import Limits
from smidgen.tokenization.text_encoder import EncodedTexts

# Raise it when a part file gets other content: old ones are then made again.
VERSION = 1
# Text that is tokenised at once: enough for all cores, and soon enough done to stop on a signal.
BATCH_CHARACTERS = 1_000_000
PART_FILE_ENDING = ".part"


class Tokenizer(Protocol):
    """What a build needs of a tokenizer."""

    @property
    def vocab_size(self) -> int: ...
    @property
    def end_of_text_id(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    def encode_arrays(self, texts: Sequence[str]) -> EncodedTexts: ...
    def single_threaded(self) -> "Tokenizer": ...


@dataclass(frozen=True, kw_only=True)
class Processing:
    """What is the same for all parts of a build; goes to other processes and machines as it is.

    ``folder`` is where part files lie. Near-duplicate signatures are computed with ``has_signatures``; documents are
    compared with ``evaluation`` if it is given.
    """

    tokenizer: Tokenizer
    folder: Path
    limits: Limits
    held_out_fraction: float
    has_signatures: bool = False
    evaluation: ContaminationIndex | None = None
    evaluation_fingerprint: str = ""

    def elsewhere(self) -> "Processing":
        """The same for a process that has one core and perhaps another working folder."""
        return replace(self, folder=self.folder.absolute(), tokenizer=self.tokenizer.single_threaded())


@dataclass(frozen=True, kw_only=True)
class Task:
    """A part to be processed. With ``only_held_out`` a document whose id puts it on the training side is looked at
    but not tokenised."""

    part: Part
    only_held_out: bool = False


def path_of(task: Task, processing: Processing) -> Path:
    """Where the part file of a task lies: its name tells all that its content depends on."""
    content: dict[str, Any] = {
        "version": VERSION,
        "part": part_to_json(task.part),
        "tokenizer": processing.tokenizer.fingerprint,
        "limits": asdict(processing.limits) if _is_text(task.part) else None,
        "signatures": near_duplicates.ALGORITHM if processing.has_signatures else "",
        "evaluation": processing.evaluation_fingerprint,
        "only_held_out": processing.held_out_fraction if task.only_held_out else None,
    }
    # With escapes for what is no UTF-8 in the names of files.
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return processing.folder / key[:2] / f"{key}{PART_FILE_ENDING}"


def process(task: Task, processing: Processing, stop_requested: Callable[[], bool] = lambda: False) -> None:
    """Write the part file of a task.

    Raises what reading and encoding raise, ``OutOfResources`` on a full disk, ``Interrupted`` after
    ``stop_requested``; no file is written then.
    """
    with PartWriter(path_of(task, processing)) as writer:
        for items in _batches(read_part(task.part), stop_requested):
            writer.add(*_processed(items, task, processing, writer.code_of))


def _batches(
    items: Iterable[Document | Rejected], stop_requested: Callable[[], bool]
) -> Iterator[list[Document | Rejected]]:
    for batch in batched(items, _characters, BATCH_CHARACTERS):
        check_stop(stop_requested)
        yield batch


def check_stop(stop_requested: Callable[[], bool]) -> None:
    """Raise ``Interrupted`` when a stop was asked for."""
    if stop_requested():
        raise Interrupted("stopped while building the data")


def _characters(item: Document | Rejected) -> int:
    # A rejected row counts as well, so that a file of nothing else can be stopped.
    return len(item.text) if isinstance(item, Document) else 100


def _processed(
    items: list[Document | Rejected], task: Task, processing: Processing, code_of: Callable[[str], int]
) -> tuple[Rows, npt.NDArray[np.unsignedinteger]]:
    columns = {name: np.zeros(len(items), dtype) for name, dtype in COLUMNS.items()}
    names = [item.id if isinstance(item, Document) else item.place for item in items]
    documents = [(number, item) for number, item in enumerate(items) if isinstance(item, Document)]
    for number, item in enumerate(items):
        if isinstance(item, Rejected):
            columns["reason"][number] = code_of(item.reason)
    for number, document in documents:
        own = id_hash(document.id)
        columns["id_hashes"][number] = own
        is_placed = document.place and document.place != document.id
        columns["place_hashes"][number] = id_hash(document.place) if is_placed else own
    rows = Rows(names=names, columns=columns)
    if processing.has_signatures:
        rows.signatures = np.zeros((len(items), SIGNATURE_WORDS), np.uint64)
    is_text = _is_text(task.part)
    for batch in batches(documents, lambda numbered: len(numbered[1].text)):
        _judge(batch, rows, processing, code_of, is_text)
    kept = [(number, document.text) for number, document in documents if columns["reason"][number] == 0]
    if task.only_held_out:
        threshold = held_out_below(processing.held_out_fraction)
        either = np.minimum(columns["id_hashes"], columns["place_hashes"]) < threshold
        kept = [(number, text) for number, text in kept if either[number]]
    encoded = processing.tokenizer.encode_arrays([text for _, text in kept])
    columns["counts"][[number for number, _ in kept]] = encoded.counts
    return rows, encoded.ids


def _judge(
    batch: list[tuple[int, Document]],
    rows: Rows,
    processing: Processing,
    code_of: Callable[[str], int],
    is_text: bool,
) -> None:
    """Fill in what the text alone decides, for documents few enough to stay in the processor's cache."""
    if is_text and processing.limits.given:
        reasons = reject_reasons([document.text for _, document in batch], processing.limits)
        for (number, _), reason in zip(batch, reasons, strict=True):
            if reason:
                rows.columns["reason"][number] = code_of(reason)
        batch = [one for one, reason in zip(batch, reasons, strict=True) if not reason]
    if not batch:
        return
    numbers, texts = [number for number, _ in batch], [document.text for _, document in batch]
    rows.columns["digests"][numbers] = digests(texts)
    rows.columns["characters"][numbers] = list(map(len, texts))
    rows.columns["text_bytes"][numbers] = [len(text.encode()) for text in texts]
    if rows.signatures is not None:
        rows.signatures[numbers] = near_duplicates.signatures(texts)
    if processing.evaluation:
        found: list[Hits] = processing.evaluation.hits(texts)
        rows.hits.update({number: hits for number, hits in zip(numbers, found, strict=True) if hits})


def _is_text(part: Part) -> bool:
    return written_by_people(getattr(part, "generator", ""))
