"""What filters look at, for many texts at once: one number for each text and measurement."""

import re
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from smidgen.data.quality.repetition import Repetition
from smidgen.data.quality.words import Words, words_of

Numbers = npt.NDArray[np.float64]

_CONTROLS = bytes([*range(9), 11, *range(14, 32), 127])
_SYMBOLS = bytes(byte for byte in range(33, 127) if not chr(byte).isalnum())
_DIGITS = bytes(range(ord("0"), ord("9") + 1))
# What the bytes 80 to BF become when UTF-8 is read as Latin-1 or as Windows-1252.
_SECOND = "\x80-\xbf" + re.escape(bytes(range(0x80, 0xA0)).decode("cp1252", "ignore"))
# Two, three and four bytes of UTF-8 read so; Greek and Cyrillic only two letters in a row, because a capital before a
# closing quotation mark looks the same. A class of characters comes first: the search for it is fast.
_MISREAD = re.compile(
    f"[\xc2\xc3\xce-\xd1\xe0-\xf0\x80-\x9f\ufffd](?:(?<=[\xc2\xc3])[{_SECOND}]|(?<=[\xe0-\xef])[{_SECOND}]{{2}}"
    f"|(?<=\xf0)[{_SECOND}]{{3}}|(?<=[\xce-\xd1])[{_SECOND}](?:[\xce-\xd1][{_SECOND}])+|(?<=[\x80-\x9f\ufffd]))"
)
_BULLETS = ("-", "*", "•", "‣", "▪", "◦", "●", "○", "■", "□", "–", "·")
_ELLIPSES = ("...", "…")


class Measurements:
    """Lazy: what no limit asks for is not computed."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    @cached_property
    def words(self) -> Words:
        """The words of the texts, for any language."""
        return words_of(self._texts, ascii_only=False)

    @cached_property
    def repetition(self) -> Repetition:
        """Runs of words that come more than once."""
        return Repetition(self.words)

    def repetition_of(self, chosen: npt.NDArray[np.bool_]) -> Repetition:
        """The same of some texts only."""
        return Repetition(
            words_of(
                [text for text, is_chosen in zip(self._texts, chosen, strict=True) if is_chosen], ascii_only=False
            )
        )

    @cached_property
    def mean_word_characters(self) -> Numbers:
        return self.words.characters / np.maximum(1, self.words.counts)

    @cached_property
    def lettered_word_share(self) -> Numbers:
        """Words with a letter, of all; 1 without words."""
        return 1 - self.words.numbers / np.maximum(1, self.words.counts)

    @cached_property
    def symbol_share(self) -> Numbers:
        """Characters of ASCII that are neither letter, digit nor blank, of all."""
        return self._of_each(lambda text: _share(_bytes_among(text, _SYMBOLS), len(text)))

    @cached_property
    def hashes_per_word(self) -> Numbers:
        return self._of_each(lambda text: text.count("#")) / np.maximum(1, self.words.counts)

    @cached_property
    def ellipses_per_word(self) -> Numbers:
        found = self._of_each(lambda text: sum(text.count(sign) for sign in _ELLIPSES))
        return found / np.maximum(1, self.words.counts)

    @cached_property
    def bullet_line_share(self) -> Numbers:
        return np.array(
            [_share(sum(line.startswith(_BULLETS) for line in lines), len(lines)) for lines in self._lines]
        )

    @cached_property
    def ellipsis_line_share(self) -> Numbers:
        return np.array(
            [_share(sum(line.endswith(_ELLIPSES) for line in lines), len(lines)) for lines in self._lines]
        )

    @cached_property
    def duplicate_line_share(self) -> Numbers:
        return self._line_duplicates[:, 0]

    @cached_property
    def duplicate_line_character_share(self) -> Numbers:
        return self._line_duplicates[:, 1]

    @cached_property
    def duplicate_paragraph_share(self) -> Numbers:
        return self._paragraph_duplicates[:, 0]

    @cached_property
    def duplicate_paragraph_character_share(self) -> Numbers:
        return self._paragraph_duplicates[:, 1]

    @cached_property
    def damaged_share(self) -> Numbers:
        return self._of_each(lambda text: _share(_damaged(text), len(text)))

    @cached_property
    def _lines(self) -> list[list[str]]:
        return [[line for each in text.split("\n") if (line := each.strip())] for text in self._texts]

    @cached_property
    def _line_duplicates(self) -> Numbers:
        return np.array([_duplicates(lines) for lines in self._lines]).reshape(-1, 2)

    @cached_property
    def _paragraph_duplicates(self) -> Numbers:
        paragraphs = [[part for each in text.split("\n\n") if (part := each.strip())] for text in self._texts]
        return np.array([_duplicates(each) for each in paragraphs]).reshape(-1, 2)

    def _of_each(self, measure: Callable[[str], float]) -> Numbers:
        return np.array([measure(text) for text in self._texts], np.float64)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _duplicates(parts: list[str]) -> tuple[float, float]:
    """The share of parts that came before, and of their characters."""
    distinct = {*parts}
    if len(distinct) == len(parts):
        return 0.0, 0.0
    characters = sum(map(len, parts))
    return 1 - len(distinct) / len(parts), 1 - sum(map(len, distinct)) / characters


def _bytes_among(text: str, wanted: bytes) -> int:
    content = text.encode()
    return len(content) - len(content.translate(None, delete=wanted))


def _damaged(text: str) -> int:
    """Characters that no writer meant: controls, U+FFFD, and UTF-8 that was read as something else."""
    misread = 0 if text.isascii() else sum(map(len, _MISREAD.findall(text)))
    return misread + _bytes_among(text, _CONTROLS)
