"""How often each pre-token occurs in a stream of text, in bounded memory.

Pre-tokens are what the splits leave of a text; merges are learned from their counts and nothing else, so neither the
order of texts nor the number of threads can matter.

Most corpora repeat the same few hundred thousand pre-tokens, however long they are. Some never do (base64, hashes,
scripts without blanks). Beyond a limit the counts move to a temporary file, and of the rare pre-tokens a sample is
kept that stands for all of them: which ones is decided by their hash, so this, too, does not depend on any order.
"""

import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tokenizers.pre_tokenizers import PreTokenizer

from smidgen.records.atomic import disk_errors
from smidgen.tokenization.segments import segments

# A piece is blanks and what follows up to the next ones. Nothing of a pre-token reaches across its left end: none of
# the splits joins a blank or line break to what stands before it. Other blanks do not end a piece, because here
# Python and the splits disagree about some control characters.
_PIECE = re.compile(r"\s*\S+(?:[^\S \t\r\n]\s*\S+)*(?:[^\S \t\r\n]\s*\Z)?|\s+")
# A text without blanks is cut here all the same, at the price of one wrong pre-token for each cut.
_MOST_PIECE_CHARACTERS = 100_000
# Longer pre-tokens are counted in parts: no token is longer than 31 bytes, so what is lost are pairs at the cuts.
_MOST_PRE_TOKEN_BYTES = 256
# Pieces are taken apart when there are so many of them, or so much text has been read since.
_MOST_PIECES, _MOST_CHARACTERS = 400_000, 32_000_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """``held`` and ``kept`` are pre-tokens: so many at most are counted in memory, and given back in the end.

    ``bytes_each`` is the mean length for which that holds; with longer ones it is fewer.
    """

    held: int = 1_000_000
    kept: int = 2_000_000
    bytes_each: int = 16


@dataclass(frozen=True, kw_only=True)
class PreTokenCounts:
    """How often each pre-token, written in byte symbols, occurs.

    Of those that occur less than ``rare_below`` times one in ``one_in`` was kept, with its count multiplied by as
    much; 1 where the counts are exact.
    """

    counts: Mapping[str, int]
    one_in: int = 1
    rare_below: int = 0


def count_pre_tokens(texts: Iterable[str], splits: PreTokenizer, limits: Limits | None = None) -> PreTokenCounts:
    """Read the texts once. Text rules have to be applied before.

    Raises ``BadInput`` for a text with a lone surrogate, and ``OutOfResources`` where temporary files find no room.
    """
    with ExitStack() as stack:
        table = _Table(limits or Limits(), splits, stack)
        for text in texts:
            table.add(text)
        return table.result()


class _Table:
    def __init__(self, limits: Limits, splits: PreTokenizer, stack: ExitStack) -> None:
        self._limits = limits
        self._splits = splits
        self._stack = stack
        self._pieces: Counter[str] = Counter()
        self._characters = 0
        self._counts: dict[str, int] = {}
        self._bytes = 0
        self._spilled: _Spilled | None = None

    def add(self, text: str) -> None:
        for segment in segments(text):
            self._characters += len(segment)
            self._pieces.update(_pieces(segment))
            if len(self._pieces) > _MOST_PIECES or self._characters > _MOST_CHARACTERS:
                self._take_apart()

    def result(self) -> PreTokenCounts:
        self._take_apart()
        if self._spilled is None:
            return PreTokenCounts(counts=self._counts)
        self._spill()
        return self._spilled.result(self._limits)

    def _take_apart(self) -> None:
        counts = self._counts
        for piece, count in self._pieces.items():
            for found, _ in self._splits.pre_tokenize_str(piece):
                is_short = len(found) <= _MOST_PRE_TOKEN_BYTES
                for pre_token in (found,) if is_short else _parts(found, _MOST_PRE_TOKEN_BYTES):
                    before = counts.get(pre_token)
                    counts[pre_token] = count + (before or 0)
                    if before is None:
                        self._bytes += len(pre_token)
            if _is_beyond(len(counts), self._bytes, self._limits.held, self._limits):
                self._spill()
                counts = self._counts
        self._pieces.clear()
        self._characters = 0

    def _spill(self) -> None:
        if self._spilled is None:
            self._spilled = _Spilled(self._stack)
        self._spilled.add(self._counts)
        self._counts, self._bytes = {}, 0


def _pieces(text: str) -> Iterable[str]:
    pieces = _PIECE.findall(text)
    if len(text) <= _MOST_PIECE_CHARACTERS:
        return pieces
    return (part for piece in pieces for part in _parts(piece, _MOST_PIECE_CHARACTERS))


def _parts(text: str, most: int) -> Iterable[str]:
    return (text[start : start + most] for start in range(0, len(text), most))


def _is_beyond(number: int, length: int, most: int, limits: Limits) -> bool:
    return number > most or length > most * limits.bytes_each


class _Spilled:
    """Counts on disk, cut by hash into parts of which one at a time is summed up in memory."""

    PARTS = 64

    def __init__(self, stack: ExitStack) -> None:
        with disk_errors(Path("temporary file")):
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smidgen-pre-tokens-")))
        self._files: list[TextIO] = [
            stack.enter_context(self._path(number).open("w", encoding="utf-8")) for number in range(self.PARTS)
        ]

    def add(self, counts: Mapping[str, int]) -> None:
        with disk_errors(self._folder):
            for pre_token, count in counts.items():
                # Byte symbols are neither blanks nor line breaks.
                self._files[_hash(pre_token) % self.PARTS].write(f"{count} {pre_token}\n")

    def result(self, limits: Limits) -> PreTokenCounts:
        """All pre-tokens where they are few enough, else the frequent ones and a sample of the others."""
        with disk_errors(self._folder):
            for file in self._files:
                file.flush()
        census = _Census()
        for part in self._summed():
            census.add(part)
        rare_below, level = census.choice(limits)
        kept: dict[str, int] = {}
        for part in self._summed():
            for pre_token, count in part.items():
                if count >= rare_below:
                    kept[pre_token] = count
                elif _level(pre_token) >= level:
                    kept[pre_token] = count << level
        return PreTokenCounts(counts=kept, one_in=1 << level, rare_below=rare_below)

    def _summed(self) -> Iterator[dict[str, int]]:
        for number in range(self.PARTS):
            counts: dict[str, int] = {}
            with self._path(number).open(encoding="utf-8") as lines:
                for line in lines:
                    count, pre_token = line.rstrip("\n").split(" ")
                    counts[pre_token] = counts.get(pre_token, 0) + int(count)
            yield counts

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.txt"


class _Census:
    """How many pre-tokens, and bytes of them, there are of each power of ten of occurrences and each hash level."""

    def __init__(self) -> None:
        self._numbers: Counter[tuple[int, int]] = Counter()
        self._bytes: Counter[tuple[int, int]] = Counter()

    def add(self, counts: Mapping[str, int]) -> None:
        for pre_token, count in counts.items():
            kind = len(str(count)) - 1, _level(pre_token)
            self._numbers[kind] += 1
            self._bytes[kind] += len(pre_token)

    def choice(self, limits: Limits) -> tuple[int, int]:
        """Below how many occurrences a pre-token is rare, and from which hash level on a rare one is kept.

        Everything is kept if it fits. Else pre-tokens of 10 occurrences and more, while they fill at most half of the
        room (else of 100, and so on), and one in 2, 4, 8 ... of the others.
        """
        power, level = 1, 0
        while power < _MOST_LEVELS and not self._fits(power, _MOST_LEVELS, limits.kept // 2, limits):
            power += 1
        while level < _MOST_LEVELS and not self._fits(power, level, limits.kept, limits):
            level += 1
        return (10**power if level else 0), level

    def _fits(self, power: int, level: int, most: int, limits: Limits) -> bool:
        kept = [kind for kind in self._numbers if kind[0] >= power or kind[1] >= level]
        number, length = (sum(counter[kind] for kind in kept) for counter in (self._numbers, self._bytes))
        return not _is_beyond(number, length, most, limits)


# Of the 32 bits of a hash 6 choose the part.
_MOST_LEVELS = 26


def _hash(pre_token: str) -> int:
    return zlib.crc32(pre_token.encode())


def _level(pre_token: str) -> int:
    """A whole number that is at least n for one pre-token in 2 to the power of n."""
    bits = _hash(pre_token) // _Spilled.PARTS
    return (bits & -bits).bit_length() - 1 if bits else _MOST_LEVELS
