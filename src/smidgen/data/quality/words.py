"""The words of many texts at once, each as a 64-bit number.

Numpy goes over the bytes of all texts together: one text at a time costs more in calls than in work when texts are
short. Which texts share a batch does not change any number.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_IS_PLAIN = np.array([byte < 128 and chr(byte).isalnum() for byte in range(256)])
# What a byte is inside a word, 0 where it is not part of one; capitals of ASCII are folded.
_FOLDED = np.array([ord(chr(byte).lower()) if byte < 128 else byte for byte in range(256)], np.uint8)
_PLAIN_LETTERS = np.where(_IS_PLAIN, _FOLDED, 0).astype(np.uint8)
_ALL_LETTERS = np.where(_IS_PLAIN | (np.arange(256) >= 128), _FOLDED, 0).astype(np.uint8)
# Punctuation beyond ASCII by its first bytes and its length: U+0080 to U+00BF, U+2000 to U+207F, U+3000 to U+303F.
_PUNCTUATION = ((0xC2, (), 2), (0xE2, (0x80, 0x81), 3), (0xE3, (0x80,), 3))

# Odd, so that they have an inverse modulo 2**64: digits of the golden ratio, and xxHash's second prime.
_BYTE_BASE = 0x9E3779B97F4A7C15
_WORD_BASE = 0xC2B2AE3D27D4EB4F
# Values that are summed at once: their powers stay in the processor's cache, and memory is bounded for a long text.
_BLOCK = 131_072


@dataclass(frozen=True, kw_only=True)
class Words:
    """The words of a batch, in order.

    ``hashes`` has a number for each word. ``starts`` and ``ends`` say where it stands in ``content``, the UTF-8 bytes
    of the texts with a line break after each. ``bounds`` has one entry more than there are texts: the words of text i
    are those from ``bounds[i]`` to ``bounds[i + 1]``.
    """

    content: npt.NDArray[np.uint8]
    hashes: Hashes
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Words in each text."""
        return np.diff(self.bounds)

    @property
    def characters(self) -> npt.NDArray[np.int64]:
        """Characters in the words of each text."""
        ends = np.concatenate([[0], np.cumsum((self.content & 0xC0) != 0x80)])
        lengths = ends[self.ends] - ends[self.starts]
        return np.diff(np.concatenate([[0], np.cumsum(lengths)])[self.bounds])

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """Words of each text that consist of digits."""
        is_digit = (self.content >= ord("0")) & (self.content <= ord("9"))
        digits = np.concatenate([[0], np.cumsum(is_digit)])
        is_number = digits[self.ends] - digits[self.starts] == self.ends - self.starts
        return np.diff(np.concatenate([[0], np.cumsum(is_number)])[self.bounds])

    def ngrams(self, size: int) -> "NGrams":
        """All runs of ``size`` words that lie within one text."""
        text = np.repeat(np.arange(len(self.counts)), self.counts)
        firsts = np.flatnonzero(text[: len(text) - size + 1] == text[size - 1 :]) if len(text) >= size else text[:0]
        return NGrams(hashes=self.ngram_hashes(firsts, size), firsts=firsts, texts=text[firsts])

    def ngram_hashes(self, firsts: npt.NDArray[np.int64], size: int) -> Hashes:
        """A number for each of the runs of ``size`` words that begin with these words, in rising order."""
        return _run_hashes(self.hashes, firsts, firsts + size, _WORD_BASE)


@dataclass(frozen=True, kw_only=True)
class NGrams:
    """Runs of words: a number for each, the word it begins with and the text it stands in."""

    hashes: Hashes
    firsts: npt.NDArray[np.int64]
    texts: npt.NDArray[np.int64]

    def bounds(self, texts: int) -> npt.NDArray[np.int64]:
        """Where the n-grams of each of ``texts`` texts begin, and where the last ends."""
        return np.searchsorted(self.texts, np.arange(texts + 1))


def words_of(texts: Sequence[str], *, ascii_only: bool) -> Words:
    """The words of the texts, which hold no lone surrogate.

    With ``ascii_only`` words are runs of ASCII letters and digits, as in published n-gram checks; else characters
    beyond ASCII count as letters, too, except for punctuation.
    """
    contents = [text.encode() for text in texts]
    content = np.frombuffer(b"\n".join([*contents, b""]), np.uint8)
    text_bounds = np.concatenate([[0], np.cumsum([len(each) + 1 for each in contents], dtype=np.int64)])
    folded = _PLAIN_LETTERS[content] if ascii_only else _without_punctuation(content, _ALL_LETTERS[content])
    inside = folded != 0
    # Every text ends in a line break, so the first word begins with a change and the last ends with one.
    changes = np.flatnonzero(np.diff(inside, prepend=False))
    starts, ends = changes[::2], changes[1::2]
    return Words(
        content=content,
        hashes=_run_hashes(folded, starts, ends, _BYTE_BASE),
        starts=starts,
        ends=ends,
        bounds=np.searchsorted(starts, text_bounds),
    )


def _without_punctuation(content: npt.NDArray[np.uint8], folded: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    for first, seconds, length in _PUNCTUATION:
        starts = np.flatnonzero(content == first)
        if seconds and len(starts):
            starts = starts[np.isin(content[starts + 1], seconds)]
        for place in range(length):
            folded[starts + place] = 0
    return folded


def _run_hashes(
    values: npt.NDArray[np.unsignedinteger], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], base: int
) -> Hashes:
    """A number for each run of values, the same wherever the run stands; runs come in rising order.

    It is the sum of value * base ** position, as a difference of sums over a block of runs, divided by base ** start:
    all modulo 2**64, then mixed. What of a run lies beyond the block's length is left out (a word of 128 KB).
    """
    powers, inverses = _powers(base), _powers(pow(base, -1, 2**64))
    hashes = np.empty(len(starts), np.uint64)
    first = 0
    while first < len(starts):
        origin = starts[first]
        last = max(first + 1, int(np.searchsorted(ends, origin + _BLOCK, side="right")))
        block = values[origin : min(ends[last - 1], origin + _BLOCK)]
        sums = np.zeros(len(block) + 1, np.uint64)
        np.cumsum(block * powers[: len(block)], out=sums[1:])
        begin, end = starts[first:last] - origin, np.minimum(ends[first:last] - origin, _BLOCK)
        hashes[first:last] = (sums[end] - sums[begin]) * inverses[begin]
        first = last
    return _mixed(hashes)


@functools.lru_cache(maxsize=4)
def _powers(base: int) -> Hashes:
    powers = np.full(_BLOCK, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers)


def _mixed(values: Hashes) -> Hashes:
    """Spread over all 64 bits: the finaliser of MurmurHash3, so that any of the bits can serve as a table's index."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))
