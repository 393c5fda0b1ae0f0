"""How much of a text stands in runs of words that come more than once (Gopher, arXiv:2112.11446, appendix A1.1).

A run can only come twice if every two neighbours in it do. So the pairs of neighbours of all texts are counted in a
table, without a sort and therefore now and then one too many; only runs of pairs that come twice are looked at
exactly.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from smidgen.data.quality.words import Hashes, Words

Shares = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_SLOTS_PER_PAIR = 8
# Mixes the number of a text into a hash: the digits of the square root of 2.
_TEXT_FACTOR = np.uint64(0x6A09E667F3BCC909)


class Repetition:
    """Shares of the characters in words, by text."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._sums = np.concatenate([[0], np.cumsum(words.ends - words.starts)])
        self._totals = np.maximum(1, np.diff(self._sums[words.bounds]))

    def top_share(self, size: int) -> Shares:
        """Of each text, what its most frequent run of ``size`` words makes up; 0 where none comes twice.

        The run with the most characters in all its places is meant.
        """
        repeated = self._repeated(size)
        starts = repeated.firsts[repeated.run_starts]
        characters = repeated.run_lengths * (self._sums[starts + size] - self._sums[starts])
        most = np.zeros(len(self._totals), np.int64)
        np.maximum.at(most, repeated.texts[repeated.run_starts], characters)
        return most / self._totals

    def top_share_bound(self, size: int) -> Shares:
        """What `top_share` does not exceed, at a fraction of its time: a run is as rare as its rarest pair."""
        counts = self._least_pair_counts(size)
        characters = np.zeros(len(self._words.hashes), np.int64)
        characters[: len(counts)] = np.where(counts > 1, counts, 0) * (self._sums[size:] - self._sums[:-size])
        has_words = self._words.counts > 0
        most = np.zeros(len(self._totals), np.int64)
        if has_words.any():
            most[has_words] = np.maximum.reduceat(characters, self._words.bounds[:-1][has_words])
        return most / self._totals

    def duplicate_share(self, size: int) -> Shares:
        """Of each text, what stands in runs of ``size`` words that come more than once, nothing counted twice."""
        firsts = self._repeated(size).firsts
        is_covered = np.zeros(len(self._words.hashes), bool)
        for place in range(size):
            is_covered[firsts + place] = True
        covered = np.concatenate([[0], np.cumsum(is_covered * (self._words.ends - self._words.starts))])
        return np.diff(covered[self._words.bounds]) / self._totals

    @cached_property
    def _pair_counts(self) -> Places:
        """How often the pair that begins with each word comes in its text, at least; 0 for a text's last word."""
        hashes, bounds = self._words.hashes, self._words.bounds
        if not len(hashes):
            return np.zeros(0, np.int64)
        texts = np.repeat(np.arange(len(self._totals), dtype=np.uint64), self._words.counts)
        pairs = hashes * np.uint64(3) + np.append(hashes[1:], np.uint64(0)) + texts * _TEXT_FACTOR
        bits = (_SLOTS_PER_PAIR * len(pairs)).bit_length()
        slots = ((pairs * _TEXT_FACTOR) >> np.uint64(64 - bits)).astype(np.int64)
        counts = np.bincount(slots)[slots]
        counts[bounds[1:][self._words.counts > 0] - 1] = 0
        return counts

    def _least_pair_counts(self, size: int) -> Places:
        """The same for runs of ``size`` words: that of the rarest of its pairs."""
        runs = max(0, len(self._pair_counts) - size + 1)
        least = self._pair_counts[:runs]
        for place in range(1, size - 1):
            least = np.minimum(least, self._pair_counts[place : place + runs])
        return least

    def _repeated(self, size: int) -> "_Repeated":
        firsts = np.flatnonzero(self._least_pair_counts(size) > 1)
        texts = np.searchsorted(self._words.bounds, firsts, side="right") - 1
        keys = self._words.ngram_hashes(firsts, size) + texts.astype(np.uint64) * _TEXT_FACTOR
        order = np.argsort(keys, kind="stable")
        lengths, is_start = _runs(keys[order])
        is_repeated = np.repeat(lengths > 1, lengths)
        found = order[is_repeated]
        return _Repeated(
            firsts=firsts[found],
            texts=texts[found],
            run_starts=np.flatnonzero(is_start[is_repeated]),
            run_lengths=lengths[lengths > 1],
        )


@dataclass(frozen=True, kw_only=True)
class _Repeated:
    """The n-grams that their text holds more than once: first words and texts, equal ones together.

    ``run_starts`` says where the places of each n-gram begin, ``run_lengths`` how many they are.
    """

    firsts: Places
    texts: Places
    run_starts: Places
    run_lengths: Places


def _runs(ordered: Hashes) -> tuple[Places, npt.NDArray[np.bool_]]:
    """How many equal values stand together, and which values are the first of them."""
    is_start = np.ones(len(ordered), bool)
    is_start[1:] = ordered[1:] != ordered[:-1]
    return np.diff(np.append(np.flatnonzero(is_start), len(ordered))), is_start
