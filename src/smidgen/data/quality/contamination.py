"""Which documents hold what a model will be asked: shared runs of words, and arithmetic with the same expression.

The usual definition (GPT-3, arXiv:2005.14165, appendix C): words are runs of ASCII letters and digits in lower case,
and a document that shares any 13 words in a row with an item is contaminated. A text of fewer words is looked for by
8, and one that is nothing but an arithmetic expression by the expression. Shorter ones cannot be told from chance.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from smidgen.data.quality.batches import batches
from smidgen.data.quality.expressions import answered_expressions, expression_of
from smidgen.data.quality.words import Hashes, Words, words_of
from smidgen.errors import BadInput

LONG, SHORT = 13, 8
# Short n-grams that more items share ("which of the following is an example of") say nothing about any: assumed.
MOST_HOLDERS = 2
FORMAT_VERSION = 1
# The filter before the search has so many bits for each entry, so that one in sixteen is searched for in vain.
_BITS_PER_ENTRY = 16

Hits = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class EvaluationText:
    """A text of an item of a task. An item may have several: a passage and a question."""

    task: str
    item: str
    text: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many items a task has, and how many of them can be found: the others are too short."""

    items: int
    testable: int


@dataclass(frozen=True, kw_only=True)
class ContaminationIndex:
    """The n-grams and expressions of evaluation sets, and whose they are.

    ``names`` are (task, item), whose positions the tables hold; ``testable`` says of each whether it can be found.
    """

    names: tuple[tuple[str, str], ...]
    testable: npt.NDArray[np.bool_]
    long: "NGramTable"
    short: "NGramTable"
    expressions: dict[str, list[int]]

    @classmethod
    def of(
        cls, texts: Iterable[EvaluationText], *, sizes: Sequence[int] = (LONG, SHORT), expressions: bool = True
    ) -> "ContaminationIndex":
        """The index of these texts, read once and not kept.

        Published checks look for long texts only: ``sizes=(LONG,), expressions=False``.
        """
        builder = _Builder(sizes, expressions)
        for batch in batches(texts, lambda each: len(each.text)):
            builder.add(batch)
        return builder.index()

    def hits(self, texts: Sequence[str]) -> list[Hits]:
        """For each text, by task and item how many different n-grams and expressions it shares: {} for none."""
        found: list[Counter[int]] = [Counter() for _ in texts]
        words = words_of(texts, ascii_only=True)
        for table in (self.long, self.short):
            for text, item in table.shared(words):
                found[text][item] += 1
        if self.expressions:
            for text, content in enumerate(texts):
                for expression in {*answered_expressions(content)} & self.expressions.keys():
                    found[text].update(self.expressions[expression])
        return [self._named(each) if each else {} for each in found]

    @property
    def coverage(self) -> dict[str, Coverage]:
        """Each task's items, in the order in which tasks came."""
        items = Counter(task for task, _ in self.names)
        testable = Counter(
            task for (task, _), is_testable in zip(self.names, self.testable, strict=True) if is_testable
        )
        return {task: Coverage(items=count, testable=testable[task]) for task, count in items.items()}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides what is found."""
        digest = hashlib.sha256(json.dumps([FORMAT_VERSION, self.names, self.expressions]).encode())
        for table in (self.long, self.short):
            for array in (table.hashes, table.bounds, table.items):
                digest.update(array.tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write the index for processes that do not share memory with this one."""
        arrays = {
            f"{name}_{part}": getattr(table, part)
            for name, table in (("long", self.long), ("short", self.short))
            for part in ("hashes", "bounds", "items")
        }
        words = json.dumps({"version": FORMAT_VERSION, "names": self.names, "expressions": self.expressions})
        with path.open("wb") as file:
            np.savez(file, words=np.frombuffer(words.encode(), np.uint8), testable=self.testable, **arrays)

    @classmethod
    def load(cls, path: Path) -> "ContaminationIndex":
        """Read what `save` wrote. Raises ``BadInput`` for anything else."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                words = json.loads(arrays["words"].tobytes())
                if words["version"] != FORMAT_VERSION:
                    raise BadInput(
                        f"{path} is a contamination index of version {words['version']} and this program reads "
                        f"{FORMAT_VERSION}; make it again"
                    )
                tables = {
                    name: NGramTable(size, *(arrays[f"{name}_{part}"] for part in ("hashes", "bounds", "items")))
                    for name, size in (("long", LONG), ("short", SHORT))
                }
                return cls(
                    names=tuple((task, item) for task, item in words["names"]),
                    testable=arrays["testable"],
                    expressions=words["expressions"],
                    **tables,
                )
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise BadInput(f"{path} is no readable contamination index ({error}); make it again") from error

    def _named(self, counts: Counter[int]) -> Hits:
        named: Hits = {}
        for number in sorted(counts):
            task, item = self.names[number]
            named.setdefault(task, {})[item] = counts[number]
        return named


class NGramTable:
    """N-grams of one size by their hashes, in rising order, and the items that hold each.

    The items of entry i are ``items[bounds[i]:bounds[i + 1]]``.
    """

    def __init__(
        self, size: int, hashes: Hashes, bounds: npt.NDArray[np.int64], items: npt.NDArray[np.int32]
    ) -> None:
        self.size = size
        self.hashes, self.bounds, self.items = hashes, bounds, items
        self._shift = np.uint64(64 - max(10, (_BITS_PER_ENTRY * len(hashes)).bit_length()))
        self._bits = np.zeros(1 << (61 - int(self._shift)), np.uint8)
        slots = hashes >> self._shift
        np.bitwise_or.at(self._bits, slots >> 3, _bit(slots))

    @classmethod
    def of(cls, size: int, hashes: Hashes, items: npt.NDArray[np.int32]) -> "NGramTable":
        """The table of n-grams and their items, pair by pair, in any order and with repetitions."""
        order = np.lexsort((items, hashes))
        hashes, items = hashes[order], items[order]
        is_new = np.ones(len(hashes), bool)
        is_new[1:] = (hashes[1:] != hashes[:-1]) | (items[1:] != items[:-1])
        distinct, firsts = np.unique(hashes[is_new], return_index=True)
        return cls(size, distinct, np.append(firsts, is_new.sum()).astype(np.int64), items[is_new])

    def without_frequent(self) -> "NGramTable":
        """Without the n-grams of many items: these are the form of a question and not its content."""
        holders = np.diff(self.bounds)
        kept = holders <= MOST_HOLDERS
        bounds = np.concatenate([[0], np.cumsum(holders[kept])])
        return NGramTable(self.size, self.hashes[kept], bounds, self.items[np.repeat(kept, holders)])

    def shared(self, words: Words) -> Iterator[tuple[int, int]]:
        """Text and item of every n-gram that both hold, once for each different n-gram."""
        if not len(self.hashes):
            return
        ngrams = words.ngrams(self.size)
        slots = ngrams.hashes >> self._shift
        likely = np.flatnonzero(self._bits[slots >> 3] & _bit(slots))
        entries = np.searchsorted(self.hashes, ngrams.hashes[likely])
        entries[entries == len(self.hashes)] = 0
        is_same = self.hashes[entries] == ngrams.hashes[likely]
        pairs = np.unique(np.stack([ngrams.texts[likely[is_same]], entries[is_same]], axis=1), axis=0)
        for text, entry in pairs.tolist():
            for item in self.items[self.bounds[entry] : self.bounds[entry + 1]].tolist():
                yield text, item


class _Builder:
    def __init__(self, sizes: Sequence[int], expressions: bool) -> None:
        self._sizes = sizes
        self._has_expressions = expressions
        self._numbers: dict[tuple[str, str], int] = {}
        self._found: dict[int, list[tuple[Hashes, npt.NDArray[np.int32]]]] = {LONG: [], SHORT: []}
        self._expressions: dict[str, list[int]] = {}

    def add(self, texts: Sequence[EvaluationText]) -> None:
        numbers = np.array([self._number(each) for each in texts], np.int32)
        words = words_of([each.text for each in texts], ascii_only=True)
        for size in self._sizes:
            ngrams = words.ngrams(size)
            is_wanted = (size == LONG) | (words.counts[ngrams.texts] < LONG)
            holders = numbers[ngrams.texts[is_wanted]]
            self._found[size].append((ngrams.hashes[is_wanted], holders))
        for each, number in zip(texts, numbers.tolist(), strict=True):
            expression = expression_of(each.text) if self._has_expressions else ""
            if expression:
                self._add_expression(expression, number)

    def index(self) -> ContaminationIndex:
        long, short = self._table(LONG), self._table(SHORT).without_frequent()
        testable = np.zeros(len(self._numbers), bool)
        for table in (long, short):
            testable[table.items] = True
        for holders in self._expressions.values():
            testable[holders] = True
        return ContaminationIndex(
            names=tuple(self._numbers), testable=testable, long=long, short=short, expressions=self._expressions
        )

    def _number(self, text: EvaluationText) -> int:
        return self._numbers.setdefault((text.task, text.item), len(self._numbers))

    def _add_expression(self, expression: str, number: int) -> None:
        holders = self._expressions.setdefault(expression, [])
        if number not in holders:
            holders.append(number)

    def _table(self, size: int) -> NGramTable:
        pairs = self._found[size] or [(np.empty(0, np.uint64), np.empty(0, np.int32))]
        return NGramTable.of(size, *(np.concatenate(part) for part in zip(*pairs, strict=True)))


def _bit(slots: Hashes) -> npt.NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (slots & np.uint64(7)).astype(np.uint8))
