"""What is kept of a source: decided by one process, in the order of parts, from the tables of part files alone."""

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smidgen.data.exhaustion import Exhaustion
from smidgen.data.listing import Listing
from smidgen.data.pipeline.listed import Listed
from smidgen.data.pipeline.part_file import PartTable
from smidgen.data.pipeline.processing import check_stop
from smidgen.data.pipeline.sides import Side
from smidgen.data.pipeline.supply import Supply
from smidgen.data.quality.contamination_report import CONTAMINATED, ContaminationReport, records_of
from smidgen.data.quality.exact_duplicates import DUPLICATE, SeenDigests
from smidgen.data.quality.near_duplicates import NEAR_DUPLICATE
from smidgen.data.rows import no_documents
from smidgen.data.split import SMALL_SOURCE_DOCUMENTS, held_out_below, held_out_of_first

# Documents are counted and written in steps of so much text.
CHUNK_CHARACTERS = 1_000_000

# Parts processed at once where only more held-out text is looked for.
MOST_LOOKED_THROUGH = 64

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How much of a source: it is read until both are there. At most ``held_out_bytes`` are kept to be scored."""

    tokens: int
    enough_held_out_bytes: int
    held_out_bytes: int
    held_out_fraction: float


@dataclass(kw_only=True)
class NearDuplicates:
    """What one walk through all sources leaves for the next: by source, a flag or number for each row of each part.

    ``compared`` are the documents that were compared with each other, ``repeats`` those among them that repeat an
    earlier one. ``is_complete`` tells whether a walk used none that had not been compared.
    """

    compared: dict[str, list[Flags]] = field(default_factory=dict)
    repeats: dict[str, list[Flags]] = field(default_factory=dict)
    signatures: dict[str, list[npt.NDArray[np.uint64]]] = field(default_factory=dict)
    is_complete: bool = True


@dataclass(kw_only=True)
class Outcome:
    """What a walk found: rows rejected by reason, exact duplicates of earlier sources by these, and so on."""

    rejected: Counter[str] = field(default_factory=Counter)
    duplicates_of: Counter[str] = field(default_factory=Counter)
    contaminated: int = 0
    left_out: int = 0
    is_exhausted: bool = False


@dataclass(kw_only=True)
class _Rows:
    """The rows of one part on their way: ``codes`` say which are rejected, and why; 0 is not rejected."""

    number: int
    table: PartTable
    codes: npt.NDArray[np.uint8]
    counted_to: int = 0


@dataclass(frozen=True, slots=True)
class _Segment:
    """Some documents of a part, in order."""

    rows: _Rows
    chosen: Numbers
    held_out: Flags
    characters: Numbers

    def piece(self, start: int, end: int) -> "_Segment":
        chosen = slice(start, end)
        return _Segment(self.rows, self.chosen[chosen], self.held_out[chosen], self.characters[chosen])


class SourceWalk:
    """Goes through the parts of one source. ``earlier`` are the digests of the sources before it.

    ``near`` is what the walk before this one left, ``left`` what this one leaves for the next; None for both where
    near duplicates stay.
    """

    def __init__(
        self,
        listing: Listing,
        position: int,
        supply: Supply,
        wanted: Wanted,
        *,
        train: Side,
        held_out: Side,
        earlier: Mapping[str, SeenDigests],
        drops_contaminated: bool,
        near: NearDuplicates | None,
        left: NearDuplicates | None,
        report: ContaminationReport | None,
        folder: Path | None,
        progress: Progress,
        stop_requested: Callable[[], bool],
    ) -> None:
        self.name = listing.name
        self.outcome = Outcome()
        self.digests = SeenDigests()
        self._listing = listing
        self._position = position
        self._supply = supply
        self._wanted = wanted
        self._train, self._held_out = train, held_out
        self._earlier = earlier
        self._drops_contaminated = drops_contaminated
        self._near, self._left = near, left
        self._report = report
        self._folder = folder
        self._progress = progress
        self._stop_requested = stop_requested
        # Reason and, for a duplicate, the earlier source that has it, by code from 1 on.
        self._reasons: list[tuple[str, str]] = []
        self._open: deque[_Rows] = deque()
        self._documents = self._fresh = 0
        self._file, self._ids_of_file = "", SeenDigests()

    def run(self) -> Outcome:
        """Hand documents to the sides until both hold enough or the source ends.

        Raises ``BadInput`` for a source without documents, or with one, ``Interrupted``, and what processing raises.
        """
        names = ("rejected.jsonl", "contaminated.jsonl")
        paths = [self._folder / name if self._folder else None for name in names]
        with Listed(paths[0]) as self._rejected_file, Listed(paths[1]) as self._contaminated_file:
            for chunk in self._chunks():
                check_stop(self._stop_requested)
                self._fill(chunk)
                self._count(chunk[-1].rows, int(chunk[-1].chosen[-1]) + 1)
                self._progress(self.name, self._train.tokens, self._wanted.tokens)
                if self._is_full and (self.outcome.left_out or self._has_enough_held_out):
                    break
            else:
                if self._open:
                    self._count(self._open[-1], len(self._open[-1].codes))
        if not self._documents:
            raise no_documents(f"source {self.name!r}", self.outcome.rejected)
        return self.outcome

    @property
    def _is_full(self) -> bool:
        return self._train.tokens >= self._wanted.tokens

    @property
    def _has_enough_held_out(self) -> bool:
        return self._held_out.text_bytes >= self._wanted.enough_held_out_bytes

    # Reading tables

    def _parts(self) -> Iterator[_Rows]:
        """The rows of each part, those marked that the part itself rejects."""
        number = 0
        exhaustion = Exhaustion()
        while True:
            check_stop(self._stop_requested)
            if self._listing.generator and exhaustion.is_reached(self._documents, self._fresh):
                self.outcome.is_exhausted = True
                return
            table = self._supply.table(
                self._position,
                number,
                tokens_so_far=self._train.tokens,
                only_held_out=self._is_full,
                expected=self._parts_to_look_through(number) if self._is_full else 0,
            )
            if table is None:
                return
            codes_of = np.array([0, *(self._code(reason) for reason in table.reasons)], np.uint8)
            rows = _Rows(number=number, table=table, codes=codes_of[table.columns["reason"]])
            self._open.append(rows)
            self._documents += int((rows.codes == 0).sum())
            if self._left is not None:
                self._leave(rows)
            yield rows
            number += 1

    def _parts_to_look_through(self, parts_so_far: int) -> int:
        """About how many parts it takes until there is enough held-out text; a guess that only costs work."""
        enough, found = self._wanted.enough_held_out_bytes, self._held_out.text_bytes
        missing = parts_so_far * (enough - found) / found if found else 1.0
        return min(MOST_LOOKED_THROUGH, max(1, math.ceil(missing)))

    def _documents_once(self) -> Iterator[tuple[_Rows, Numbers, npt.NDArray[np.uint64]]]:
        """Of each part the documents that this source has not had, and the hashes that decide their sides."""
        for rows in self._parts():
            columns = rows.table.columns
            hashes = self._own_hashes(rows)
            documents = np.flatnonzero(rows.codes == 0)
            is_new = self.digests.are_new(np.asarray(columns["digests"][documents]))
            rows.codes[documents[~is_new]] = self._code(DUPLICATE)
            yield rows, documents[is_new], hashes[documents[is_new]]

    def _own_hashes(self, rows: _Rows) -> npt.NDArray[np.uint64]:
        """The hashes of ids; those of places where an id came before in the same file."""
        columns = rows.table.columns
        ids, places = np.asarray(columns["id_hashes"]), np.asarray(columns["place_hashes"])
        file = self._supply.file_of(self._position, rows.number)
        if file != self._file:
            self._file, self._ids_of_file = file, SeenDigests()
        # Also of documents that are rejected for what they say: a row keeps its id whatever the filters are.
        own = np.flatnonzero(ids != places)
        repeated = own[~self._ids_of_file.are_new(ids[own])]
        hashes = ids.copy()
        hashes[repeated] = places[repeated]
        return hashes

    def _sided(self) -> Iterator[_Segment]:
        """Documents with their sides; the first 400 are decided together, as `smidgen.data.split` says."""
        waiting: list[tuple[_Rows, Numbers, npt.NDArray[np.uint64]]] = []
        is_decided = False
        for each in self._documents_once():
            if is_decided:
                yield self._segment(*each, each[2] < held_out_below(self._wanted.held_out_fraction))
                continue
            waiting.append(each)
            if sum(len(chosen) for _, chosen, _ in waiting) >= SMALL_SOURCE_DOCUMENTS:
                yield from self._decided(waiting)
                is_decided, waiting = True, []
        if sum(len(chosen) for _, chosen, _ in waiting):
            yield from self._decided(waiting)

    def _decided(self, waiting: list[tuple[_Rows, Numbers, npt.NDArray[np.uint64]]]) -> Iterator[_Segment]:
        hashes = np.concatenate([each for _, _, each in waiting])
        fraction = self._wanted.held_out_fraction
        held_out = hashes < held_out_below(fraction)
        first = hashes[:SMALL_SOURCE_DOCUMENTS]
        held_out[: len(first)] = held_out_of_first(first, fraction, source=f"source {self.name!r}")
        start = 0
        for rows, chosen, each in waiting:
            yield self._segment(rows, chosen, each, held_out[start : start + len(chosen)])
            start += len(chosen)

    def _segment(self, rows: _Rows, chosen: Numbers, hashes: npt.NDArray[np.uint64], held_out: Flags) -> _Segment:
        """The documents that no other source and no comparison rejects."""
        digests = np.asarray(rows.table.columns["digests"])
        for name, seen in self._earlier.items():
            free = chosen[rows.codes[chosen] == 0]
            rows.codes[free[seen.have(digests[free])]] = self._code(DUPLICATE, name)
        if self._drops_contaminated and rows.table.hits:
            free = chosen[rows.codes[chosen] == 0]
            rows.codes[np.intersect1d(free, list(rows.table.hits))] = self._code(CONTAMINATED)
        free = chosen[rows.codes[chosen] == 0]
        if self._left is not None:
            self._left.compared[self.name][rows.number][free] = True
        if self._near is not None:
            rows.codes[free[self._repeats(rows)[free]]] = self._code(NEAR_DUPLICATE)
        kept = rows.codes[chosen] == 0
        self._fresh += int(kept.sum())
        characters = rows.table.columns["characters"][chosen[kept]].astype(np.int64)
        return _Segment(rows, chosen[kept], held_out[kept], characters)

    # Near duplicates

    def _leave(self, rows: _Rows) -> None:
        assert self._left is not None
        assert rows.table.signatures is not None, "parts were processed with signatures"
        self._left.compared.setdefault(self.name, []).append(np.zeros(len(rows.codes), bool))
        self._left.signatures.setdefault(self.name, []).append(rows.table.signatures)

    def _repeats(self, rows: _Rows) -> Flags:
        assert self._near is not None
        known = self._near.repeats.get(self.name, [])
        return known[rows.number] if rows.number < len(known) else np.zeros(len(rows.codes), bool)

    # Writing

    def _chunks(self) -> Iterator[list[_Segment]]:
        chunk: list[_Segment] = []
        characters = 0
        for segment in self._sided():
            start = 0
            ends = np.cumsum(segment.characters)
            while start < len(ends):
                before = int(ends[start - 1]) if start else 0
                end = int(np.searchsorted(ends, before + CHUNK_CHARACTERS - characters)) + 1
                chunk.append(segment.piece(start, end))
                if end > len(ends):
                    characters += int(ends[-1]) - before
                    break
                yield chunk
                chunk, characters, start = [], 0, end
        if chunk:
            yield chunk

    def _fill(self, chunk: list[_Segment]) -> None:
        looks_through = self._is_full
        for segment in chunk:
            self._note_compared(segment)
            if not looks_through:
                self._train.add_all(*_documents(segment.rows.table, segment.chosen[~segment.held_out]))
                self._note_hits(segment.rows, segment.chosen[~segment.held_out])
            held_out = segment.chosen[segment.held_out]
            taken = self._room_for(segment.rows.table.columns["text_bytes"][held_out].astype(np.int64))
            self.outcome.left_out += len(held_out) - taken
            self._held_out.add_all(*_documents(segment.rows.table, held_out[:taken]))
            self._note_hits(segment.rows, held_out[:taken])

    def _room_for(self, text_bytes: Numbers) -> int:
        """How many of these held-out documents are kept: none after the first that did not fit, always one."""
        if self.outcome.left_out or not len(text_bytes):
            return 0
        fits = self._held_out.text_bytes + np.cumsum(text_bytes) <= self._wanted.held_out_bytes
        count = int(np.argmin(fits)) if not fits.all() else len(fits)
        return max(count, 1) if self._held_out.documents == 0 else count

    def _note_compared(self, segment: _Segment) -> None:
        if self._left is None:
            return
        known = self._near.compared.get(self.name, []) if self._near else []
        number = segment.rows.number
        if number >= len(known) or not known[number][segment.chosen].all():
            self._left.is_complete = False

    def _note_hits(self, rows: _Rows, used: Numbers) -> None:
        if rows.table.hits:
            for row in np.intersect1d(used, list(rows.table.hits)).tolist():
                self._note_hit(rows, row)

    def _note_hit(self, rows: _Rows, row: int) -> None:
        hits = rows.table.hits[row]
        self.outcome.contaminated += 1
        if self._report:
            self._report.add(hits)
        for record in records_of(self.name, rows.table.name(row), hits):
            self._contaminated_file.write(record)

    # Counting

    def _code(self, reason: str, of: str = "") -> int:
        if (reason, of) not in self._reasons:
            self._reasons.append((reason, of))
        return self._reasons.index((reason, of)) + 1

    def _count(self, last: _Rows, end: int) -> None:
        """Count and list the rejected rows up to row ``end`` of a part; nothing before it can change any more."""
        while self._open:
            rows = self._open[0]
            until = end if rows is last else len(rows.codes)
            rejected = np.flatnonzero(rows.codes[rows.counted_to : until]) + rows.counted_to
            for row in rejected.tolist():
                reason, of = self._reasons[rows.codes[row] - 1]
                self.outcome.rejected[reason] += 1
                self.outcome.duplicates_of.update([of] if of else [])
                record = {"source": self.name, "document": rows.table.name(row), "reason": reason}
                self._rejected_file.write({**record, "of": {"source": of}} if of else record)
                if reason == CONTAMINATED:
                    self._note_hit(rows, row)
            rows.counted_to = until
            if rows is last:
                return
            self._open.popleft()


def _documents(
    table: PartTable, chosen: Numbers
) -> tuple[npt.NDArray[np.unsignedinteger], npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """The tokens of some documents in a row, and for each how many it has and the bytes of its text."""
    counts = table.columns["counts"][chosen].astype(np.int64)
    text_bytes = table.columns["text_bytes"][chosen].astype(np.int64)
    if not len(chosen):
        return table.tokens[:0], counts, text_bytes
    first, last = int(chosen[0]), int(chosen[-1])
    is_chosen = np.zeros(last + 1 - first, bool)
    is_chosen[chosen - first] = True
    start = int(table.token_ends[first]) - int(table.columns["counts"][first])
    tokens = np.asarray(table.tokens[start : int(table.token_ends[last])])
    if not is_chosen.all():
        tokens = tokens[np.repeat(is_chosen, table.columns["counts"][first : last + 1])]
    return tokens, counts, text_bytes
