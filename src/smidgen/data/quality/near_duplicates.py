"""Texts that say nearly the same as an earlier one: MinHash signatures, and a decision by signatures alone.

Two texts are as alike as their sets of runs of 5 words: what both have, divided by what either has (Jaccard). The
signature holds one byte of each of 128 minima (rensa), so that the share of equal bytes estimates it, with a standard
error of 0.035 at 0.8. The same 128 bytes are the bands of locality-sensitive hashing: 8 bytes in a row are a band,
and only texts with an equal band are compared.
"""

import importlib.util
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from smidgen.data.quality.words import words_of
from smidgen.errors import BadInput

# The reason in tables of rejected documents.
NEAR_DUPLICATE = "near duplicate"
WORDS_IN_A_RUN = 5
MINIMA = 128
WORDS_64 = MINIMA // 8
SEED = 42
# Signatures of other settings or of another algorithm of rensa cannot be compared: 0.5 has version 2.
ALGORITHM = f"rensa R-MinHash 2, {MINIMA} minima of runs of {WORDS_IN_A_RUN} words, seed {SEED}"
# Bands of 8 bytes find 95% of the pairs at 0.8 and 99.4% at 0.85. Below this threshold bands of 4 bytes are needed.
_WIDE_BANDS_FROM = 0.75
# Held in memory at once while a band is sorted, 40 bytes each.
_ROWS_AT_ONCE = 4_000_000
_ROWS_READ = 250_000
_PAIRS_AT_ONCE = 100_000

Signatures = npt.NDArray[np.uint64]


def signatures(texts: Sequence[str]) -> Signatures:
    """A row of 16 numbers for each text; all are 0 for a text of fewer than 5 words, which is like no other.

    Raises ``BadInput`` without the package rensa.
    """
    if importlib.util.find_spec("rensa") is None:
        raise BadInput('near duplicates need the package rensa, which is missing; pip install "smidgen[data]"')
    from rensa import RMinHash

    if RMinHash.ALGORITHM_VERSION != 2:
        raise BadInput(
            f"rensa computes signatures of version {RMinHash.ALGORITHM_VERSION} and 2 is needed; "
            'pip install "rensa>=0.5,<0.6"'
        )
    ngrams = words_of(texts, ascii_only=False).ngrams(WORDS_IN_A_RUN)
    bounds = ngrams.bounds(len(texts))
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(ngrams.hashes, bounds.astype(np.uint64), MINIMA, SEED)
    minima = np.array(matrix.to_rows(), np.uint32).reshape(len(texts), MINIMA)
    rows = minima.astype(np.uint8).view("<u8").astype(np.uint64)
    rows[np.diff(bounds) == 0] = 0
    return rows


def similarity(first: Signatures, second: Signatures) -> npt.NDArray[np.float64]:
    """The estimated Jaccard similarity of the texts, row by row."""
    equal = (_bytes_of(first) == _bytes_of(second)).mean(axis=1)
    # One byte in 256 is equal by chance.
    return np.maximum(0.0, (equal - 1 / 256) / (1 - 1 / 256))


def repeated_documents(
    parts: Sequence[Signatures], threshold: float, *, kept: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.int64]:
    """For each document -1, or the number of the earliest one that it nearly repeats.

    ``parts`` are the signatures in the order of documents, counted on from part to part; they are read, never held
    together, so that they may be memory-mapped files. ``kept`` says which documents take part. A document repeats
    another when ``threshold`` or more of both is the same, whether or not the other repeats a third. Takes 9 bytes
    for each document and 200 MB beside.
    """
    documents = _Documents(parts, kept)
    wide = threshold >= _WIDE_BANDS_FROM
    # What the estimate must reach, in equal bytes.
    needed = math.ceil(MINIMA * (threshold * (1 - 1 / 256) + 1 / 256) - 1e-9)
    earliest = np.full(len(documents), len(documents), np.int64)
    for values, numbers in documents.bands(np.dtype(np.uint64 if wide else np.uint32)):
        for earlier, later in _candidates(values, numbers):
            alike = (_bytes_of(documents.rows(earlier)) == _bytes_of(documents.rows(later))).sum(axis=1) >= needed
            np.minimum.at(earliest, later[alike], earlier[alike])
    earliest[earliest == len(documents)] = -1
    return earliest


class _Documents:
    """Signatures by document number, wherever they lie."""

    def __init__(self, parts: Sequence[Signatures], kept: npt.NDArray[np.bool_] | None) -> None:
        self._parts = [part for part in parts if len(part)]
        self._starts = np.concatenate([[0], np.cumsum([len(part) for part in self._parts], dtype=np.int64)])
        self._kept = kept

    def __len__(self) -> int:
        return int(self._starts[-1])

    def rows(self, numbers: npt.NDArray[np.int64]) -> Signatures:
        """The signatures of some documents."""
        rows = np.empty((len(numbers), WORDS_64), np.uint64)
        places = np.searchsorted(self._starts, numbers, side="right") - 1
        for place in np.unique(places):
            chosen = places == place
            rows[chosen] = self._parts[place][numbers[chosen] - self._starts[place]]
        return rows

    def bands(
        self, width: np.dtype[np.unsignedinteger]
    ) -> Iterator[tuple[npt.NDArray[np.unsignedinteger], npt.NDArray[np.int64]]]:
        """Each band's values with their documents, in so many pieces that one fits into memory.

        Equal values come in the same piece, and documents in their order.
        """
        pieces = max(1, math.ceil(len(self) / _ROWS_AT_ONCE))
        for band in range(MINIMA // width.itemsize):
            for piece in range(pieces):
                found = [part for part in self._blocks(width, band, pieces, piece) if len(part[1])]
                if found:
                    values, numbers = zip(*found, strict=True)
                    yield np.concatenate(values), np.concatenate(numbers)

    def _blocks(
        self, width: np.dtype[np.unsignedinteger], band: int, pieces: int, piece: int
    ) -> Iterator[tuple[npt.NDArray[np.unsignedinteger], npt.NDArray[np.int64]]]:
        for part, start in zip(self._parts, self._starts.tolist(), strict=False):
            for first in range(0, len(part), _ROWS_READ):
                rows = np.ascontiguousarray(part[first : first + _ROWS_READ])
                numbers = np.arange(start + first, start + first + len(rows))
                values = rows.view(width)[:, band]
                chosen = rows.any(axis=1)
                if self._kept is not None:
                    chosen &= self._kept[numbers]
                if pieces > 1:
                    chosen &= _piece_of(values, pieces) == piece
                yield values[chosen], numbers[chosen]


def _piece_of(values: npt.NDArray[np.unsignedinteger], pieces: int) -> npt.NDArray[np.uint64]:
    spread = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)
    return spread * np.uint64(pieces) >> np.uint64(32)


def _candidates(
    values: npt.NDArray[np.unsignedinteger], numbers: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Pairs of documents with the same value, the earlier first: each with the first of them and with the one before.

    All pairs would be too many where thousands have one value.
    """
    order = np.argsort(values, kind="stable")
    values, numbers = values[order], numbers[order]
    is_new = np.ones(len(values), bool)
    is_new[1:] = values[1:] != values[:-1]
    heads = np.maximum.accumulate(np.where(is_new, np.arange(len(values)), 0))
    repeats = np.flatnonzero(~is_new)
    pairs = np.concatenate(
        [
            np.stack([heads[repeats], repeats], axis=1),
            np.stack([repeats - 1, repeats], axis=1)[heads[repeats] != repeats - 1],
        ]
    )
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        chosen = pairs[start : start + _PAIRS_AT_ONCE]
        yield numbers[chosen[:, 0]], numbers[chosen[:, 1]]


def _bytes_of(rows: Signatures) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(rows).view(np.uint8)
