"""Requests laid out so that tokens which texts have in common are read once.

Sorted, texts that begin alike stand side by side; each adds only the tokens that the one before it does not have. A
block is a run of sorted requests that fits a budget of tokens; inside it the requests form trees of segments.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

# A block may outgrow its budget by this factor for the sake of a shared trunk.
LARGEST_BLOCK = 4


@dataclass(frozen=True, slots=True)
class Query:
    """Tokens to read, and how many of the last ones are asked for: the others are only read."""

    token_ids: tuple[int, ...]
    asked: int

    def __post_init__(self) -> None:
        if not 0 < self.asked < len(self.token_ids):
            raise ValueError(f"{self.asked} of {len(self.token_ids)} tokens asked for; at least one must come before")


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Blocks of trees as flat arrays.

    Rows are tokens, in the order of blocks and segments. A segment is a run of rows, each of which reads those before
    it and above; ``segment_parent`` is -1 at a root, and parents come first. ``query_row`` are the rows whose
    prediction is wanted, in order; those of segment s are ``segment_queries[s]`` to ``[s + 1]``, and likewise
    ``query_targets`` delimits the ``target_token`` asked of each query. ``target_of`` gives the targets of request r
    at ``request_targets[r]`` to ``[r + 1]``; rows were first read for request ``row_request``.
    """

    token: Ints
    position: Ints
    row_request: Ints
    block_segments: Ints
    segment_start: Ints
    segment_length: Ints
    segment_parent: Ints
    segment_queries: Ints
    query_row: Ints
    query_targets: Ints
    target_token: Ints
    target_of: Ints
    request_targets: Ints

    @property
    def rows(self) -> int:
        return len(self.token)

    @property
    def blocks(self) -> int:
        return len(self.block_segments) - 1


def sorted_order(queries: Sequence[Query]) -> list[int]:
    """Indices in the order in which neighbours share most."""
    # Big-endian bytes compare like the tuples, many times faster.
    keys = [np.asarray(query.token_ids, dtype=">u4").tobytes() for query in queries]
    return sorted(range(len(queries)), key=keys.__getitem__)


def shared_prefix(first: Ints, second: Ints) -> int:
    """Number of leading tokens that both have."""
    most = min(len(first), len(second))
    different = np.flatnonzero(first[:most] != second[:most])
    return int(different[0]) if len(different) else most


def plant(queries: Sequence[Query], *, block_rows: int) -> Forest:
    """Lay out ``queries``, given in sorted order, in blocks of about ``block_rows`` tokens.

    A block holds at least one request, however long.
    """
    builder = _Builder(block_rows)
    for query in queries:
        builder.add(query)
    return builder.finished()


@dataclass(slots=True)
class _Chain:
    """The tokens that one request added: rows from ``row`` on, at depths ``start`` to ``end``.

    ``cuts`` are depths at which others branch off.
    """

    row: int
    start: int
    end: int
    parent: int
    cuts: set[int]


class _Builder:
    def __init__(self, block_rows: int) -> None:
        self._block_rows = block_rows
        self._tokens: list[Ints] = []
        self._added: list[tuple[int, int]] = []
        self._target_rows: list[Ints] = []
        self._target_tokens: list[Ints] = []
        self._segments: list[tuple[int, int, int]] = []
        self._block_segments = [0]
        self._rows = 0
        self._begin_block()

    def _begin_block(self) -> None:
        self._chains: list[_Chain] = []
        # Numbers of the chains from the root to the end of the last request.
        self._path: list[int] = []
        self._last = np.empty(0, dtype=np.int32)
        self._block_start = self._rows

    def add(self, query: Query) -> None:
        ids = np.asarray(query.token_ids, dtype=np.int32)
        # The last token is asked for but never read.
        read = ids[:-1]
        shared = shared_prefix(self._last, read)
        if self._is_full(len(read) - shared, shared):
            self._end_block()
            shared = 0
        self._grow(read, shared)
        first = len(ids) - query.asked
        self._target_rows += self._rows_between(first - 1, len(read))
        self._target_tokens.append(ids[first:])

    def _is_full(self, added: int, shared: int) -> bool:
        """Rather too large a block than a tree cut in two, whose trunk would be read twice; within limits."""
        rows = self._rows - self._block_start + added
        return bool(self._chains) and rows > self._block_rows * (1 if shared <= added else LARGEST_BLOCK)

    def _grow(self, read: Ints, shared: int) -> None:
        while self._path and self._chains[self._path[-1]].start >= shared:
            self._path.pop()
        parent = self._path[-1] if self._path else -1
        if parent >= 0 and shared < self._chains[parent].end:
            self._chains[parent].cuts.add(shared)
        added = len(read) - shared
        if added:
            self._path.append(len(self._chains))
            self._chains.append(_Chain(self._rows, shared, len(read), parent, set()))
        self._tokens.append(read[shared:])
        self._added.append((shared, added))
        self._last = read
        self._rows += added

    def _rows_between(self, start: int, end: int) -> list[Ints]:
        """Rows of the present path at these depths, from the root downwards."""
        parts = []
        for number in reversed(self._path):
            chain = self._chains[number]
            first = max(start, chain.start)
            if first < end:
                parts.append(
                    np.arange(chain.row + first - chain.start, chain.row + end - chain.start, dtype=np.int32)
                )
            end = min(end, chain.start)
            if end <= start:
                break
        return parts[::-1]

    def _end_block(self) -> None:
        # Segment that ends at a depth of a chain, by (chain, depth).
        ends: dict[tuple[int, int], int] = {}
        for number, chain in enumerate(self._chains):
            parent = ends[chain.parent, chain.start] if chain.parent >= 0 else -1
            for start, end in pairwise((chain.start, *sorted(chain.cuts), chain.end)):
                ends[number, end] = len(self._segments)
                self._segments.append((chain.row + start - chain.start, end - start, parent))
                parent = ends[number, end]
        self._block_segments.append(len(self._segments))
        self._begin_block()

    def finished(self) -> Forest:
        if self._chains:
            self._end_block()
        segments = np.asarray(self._segments, dtype=np.int32).reshape(-1, 3)
        shared, added = np.asarray(self._added, dtype=np.int32).reshape(-1, 2).T
        first_row = np.cumsum(added) - added
        asked = [len(tokens) for tokens in self._target_tokens]
        target_row, target_token = _joined(self._target_rows), _joined(self._target_tokens)
        order = np.argsort(target_row, kind="stable")
        query_row, first_target = np.unique(target_row[order], return_index=True)
        target_of = np.empty(len(order), dtype=np.int32)
        target_of[order] = np.arange(len(order), dtype=np.int32)
        ends = segments[:, 0] + segments[:, 1]
        return Forest(
            token=_joined(self._tokens),
            position=(np.arange(self._rows) - np.repeat(first_row - shared, added)).astype(np.int32),
            row_request=np.repeat(np.arange(len(added), dtype=np.int32), added),
            block_segments=np.asarray(self._block_segments, dtype=np.int32),
            segment_start=np.ascontiguousarray(segments[:, 0]),
            segment_length=np.ascontiguousarray(segments[:, 1]),
            segment_parent=np.ascontiguousarray(segments[:, 2]),
            segment_queries=np.concatenate(([0], np.searchsorted(query_row, ends))).astype(np.int32),
            query_row=query_row.astype(np.int32),
            query_targets=np.append(first_target, len(order)).astype(np.int32),
            target_token=target_token[order],
            target_of=target_of,
            request_targets=np.concatenate(([0], np.cumsum(asked))).astype(np.int32),
        )


def _joined(parts: Sequence[Ints]) -> Ints:
    return np.concatenate(parts).astype(np.int32) if parts else np.empty(0, dtype=np.int32)


def chunks(queries: Sequence[Query], *, rows: int) -> Iterator[slice]:
    """Slices of sorted queries of about ``rows`` tokens each before sharing: what is laid out at a time.

    A slice rather grows by half than parts queries that begin alike.
    """
    start = total = 0
    for index, query in enumerate(queries):
        full = total and total + len(query.token_ids) > rows
        if full and (total > 1.5 * rows or query.token_ids[:4] != queries[index - 1].token_ids[:4]):
            yield slice(start, index)
            start, total = index, 0
        total += len(query.token_ids)
    if start < len(queries):
        yield slice(start, len(queries))
