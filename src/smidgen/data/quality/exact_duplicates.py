"""Texts that came before, told by 8 bytes of each."""

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

# The reason in tables of rejected documents.
DUPLICATE = "duplicate"
# Linear probing stays short up to here: 3 steps for a digest that is there, 9 for a new one.
_MOST_FULL = 0.75
_FIRST_SLOTS = 1 << 16
_EMPTY = np.uint64(0)


def digests(texts: Iterable[str]) -> npt.NDArray[np.uint64]:
    """The BLAKE2b digest of 8 bytes of each text in UTF-8, read as a big-endian number.

    With ten million documents the chance that any two different ones share it is 3 in a million.
    """
    return digests_of_bytes(text.encode() for text in texts)


def digests_of_bytes(contents: Iterable[bytes]) -> npt.NDArray[np.uint64]:
    """The same of what is bytes already."""
    joined = b"".join(hashlib.blake2b(content, digest_size=8).digest() for content in contents)
    return np.frombuffer(joined, ">u8").astype(np.uint64)


class SeenDigests:
    """The digests that came so far, in a table of 11 to 21 bytes for each; half as much again while it grows.

    25 million documents take 270 MB, 400 MB for a moment.
    """

    def __init__(self) -> None:
        self._slots = np.zeros(_FIRST_SLOTS, np.uint64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def table_bytes(self) -> int:
        """Memory of the table."""
        return self._slots.nbytes

    def are_new(self, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Which of the digests neither came before nor stand earlier in this batch; from now on all have come."""
        distinct, firsts = np.unique(np.where(digests == _EMPTY, np.uint64(1), digests), return_index=True)
        while self._count + len(distinct) > _MOST_FULL * len(self._slots):
            self._grow()
        is_new = np.zeros(len(digests), bool)
        is_new[firsts[_insert(self._slots, distinct)]] = True
        self._count += int(is_new.sum())
        return is_new

    def have(self, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Which of the digests came before; none is added."""
        wanted = np.where(digests == _EMPTY, np.uint64(1), digests)
        found = np.zeros(len(wanted), bool)
        waiting = np.arange(len(wanted))
        places = _first_places(self._slots, wanted)
        while len(waiting):
            there = self._slots[places]
            found[waiting[there == wanted[waiting]]] = True
            going_on = (there != _EMPTY) & (there != wanted[waiting])
            waiting = waiting[going_on]
            places = (places[going_on] + 1) & (len(self._slots) - 1)
        return found

    def _grow(self) -> None:
        larger = np.zeros(2 * len(self._slots), np.uint64)
        for start in range(0, len(self._slots), _FIRST_SLOTS):
            block = self._slots[start : start + _FIRST_SLOTS]
            _insert(larger, block[block != _EMPTY])
        self._slots = larger


def _insert(slots: npt.NDArray[np.uint64], values: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Put different values into an open-addressing table; return which were not there."""
    is_new = np.zeros(len(values), bool)
    waiting = np.arange(len(values))
    places = _first_places(slots, values)
    while len(waiting):
        values_there = slots[places]
        wanted = values[waiting]
        free = np.flatnonzero(values_there == _EMPTY)
        # Several may want one slot; the last to write has it and the others go on.
        slots[places[free]] = wanted[free]
        placed = free[slots[places[free]] == wanted[free]]
        is_new[waiting[placed]] = True
        going_on = values_there != wanted
        going_on[placed] = False
        waiting = waiting[going_on]
        places = (places[going_on] + 1) & (len(slots) - 1)
    return is_new


def _first_places(slots: npt.NDArray[np.uint64], values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    # Digests are spread evenly, so their highest bits are a place.
    return (values >> np.uint64(64 - (len(slots).bit_length() - 1))).astype(np.int64)
