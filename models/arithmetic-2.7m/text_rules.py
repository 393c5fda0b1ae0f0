r"""Reversible rewriting of text before tokenisation: digit order and capitals.

Digits: every run of 2 to 64 ASCII digits is turned round, so that the least significant digit comes first and carries
flow in the order of generation (Atom-2.7m card; Abacus embeddings, arXiv:2405.17399). Longer runs stay as they are.

Capitals: ASCII capitals are written in lower case behind a marker, so that a word is one token however it is
capitalised (lossless caps; the mechanism of the AtomixS2-5M card is not published):

    a capital                          The, I, iPhone    TITLE the, TITLE i, i TITLE phone
    2 to 32 in a row                   NASA, iOS         ALLCAPS nasa, i ALLCAPS os
    with small letters behind them     HTMLParser        ALLCAPS html TITLE parser

The last capital before a small letter begins a word and never belongs to the row. Of more than 32 in a row, all but
the last 32 are marked one by one.

A marker stands before the one blank in front of its capital (" The" -> TITLE " the"), because byte-level BPE joins
that blank to the word: " The" and " the" then share a token. (Measured November 2026, 4,096 entries, 6 MB of
docstrings: 3.14 bytes per token against 3.10 with the marker behind the blank and 3.19 without markers.) The three
characters used, found in the text itself, become ESCAPE and a sign: TITLE ``^``, ALLCAPS ``_``, ESCAPE ``!``.

Only ASCII, because Unicode case folding cannot be undone (İ, ß, ſ, K) and other scripts' digits have their own order.
Both rules hold for every string, lone surrogates included, and take linear time. Both limits are there so that
tokenizer.json alone can say the same (decisions/0014-portable-rules.md).
"""

import re
from dataclasses import dataclass

# C0 controls that text hardly ever holds: "shift out", "shift in", "data link escape".
TITLE, ALLCAPS, ESCAPE = "\x0e", "\x0f", "\x10"
# What follows ESCAPE for each of them: no letter, digit, blank or operator.
ESCAPED = {ESCAPE: "!", TITLE: "^", ALLCAPS: "_"}
# As many as a model of ours has places for: the digit features tell apart 64.
MOST_DIGITS = 64
# No English word is longer.
MOST_CAPITALS = 32

_DIGITS = "0123456789"
# The look-behind keeps a megabyte of digits linear: a run is only tried from its start.
_DIGIT_RUN = re.compile(rf"(?<![0-9])[0-9]{{2,{MOST_DIGITS}}}(?![0-9])")
_CAPITALS = re.compile(r" ?(?:[A-Z]{2,}(?![a-z])|[A-Z])|[\x0e-\x10]")
_CAPITAL = re.compile(r" ?[A-Z]")
_MARKED = re.compile(rf"\x10([!^_]?)|\x0e( ?[A-Za-z]?)|\x0f( ?[A-Za-z]{{0,{MOST_CAPITALS}}})")
_LETTERS = re.compile(r"[A-Za-z]*")
_UNESCAPED = {"": "", **{sign: character for character, sign in ESCAPED.items()}}


@dataclass(frozen=True, kw_only=True)
class TextRules:
    """Which rules are on. ``invert(apply(text)) == text`` for every string."""

    reverse_digits: bool = False
    map_case: bool = False

    def apply(self, text: str) -> str:
        """The text as the tokenizer sees it."""
        if self.map_case:
            text = map_case(text)
        return reverse_digits(text) if self.reverse_digits else text

    def invert(self, text: str) -> str:
        """The text as people see it. Any text is accepted, as a model may write any: stray markers disappear."""
        # Digits first: their runs are those of the model's tokens, which a stray marker interrupts.
        if self.reverse_digits:
            text = reverse_digits(text)
        return unmap_case(text) if self.map_case else text


def reverse_digits(text: str) -> str:
    """Turn every run of 2 to 64 ASCII digits round; doing it twice gives the text back."""
    return _DIGIT_RUN.sub(lambda run: run.group()[::-1], text)


def map_case(text: str) -> str:
    """Write ASCII letters in lower case behind markers."""
    return _CAPITALS.sub(_marked, text)


def unmap_case(text: str) -> str:
    """Undo ``map_case``."""
    return _MARKED.sub(_unmarked, text)


def _marked(match: re.Match[str]) -> str:
    found = match.group()
    if found < " ":
        return ESCAPE + ESCAPED[found]
    row = found.lstrip(" ")
    if len(row) == 1:
        return TITLE + found.lower()
    if len(row) <= MOST_CAPITALS:
        return ALLCAPS + found.lower()
    alone, together = found[:-MOST_CAPITALS], found[-MOST_CAPITALS:]
    return _CAPITAL.sub(lambda capital: TITLE + capital.group().lower(), alone) + ALLCAPS + together.lower()


def _unmarked(match: re.Match[str]) -> str:
    sign, title, capitals = match.groups()
    if sign is not None:
        return _UNESCAPED[sign]
    return (title or capitals or "").upper()


class StreamingInverse:
    """``TextRules.invert`` for text that arrives in parts.

    The parts given back join to ``invert`` of the parts given, wherever the text was cut. Only what a later part
    could still change is held back: up to 64 digits that may go on, a marker that has no letter yet.
    """

    def __init__(self, rules: TextRules) -> None:
        self._digits = _StreamingDigits() if rules.reverse_digits else None
        self._case = _StreamingCase() if rules.map_case else None

    def push(self, text: str) -> str:
        if self._digits:
            text = self._digits.push(text)
        return self._case.push(text) if self._case else text

    def flush(self) -> str:
        """What was held back; the next ``push`` begins a new text."""
        text = self._digits.flush() if self._digits else ""
        return self._case.push(text) + self._case.flush() if self._case else text


class _StreamingDigits:
    def __init__(self) -> None:
        self._run = ""
        self._in_long_run = False

    def push(self, text: str) -> str:
        if not text:
            return ""
        text = self._run + text
        rest = text.lstrip(_DIGITS) if self._in_long_run else text
        before = rest.rstrip(_DIGITS)
        kept, self._run = text[: len(text) - len(rest)], rest[len(before) :]
        # With nothing after them, the digits of a long run are still the run's.
        self._in_long_run = (self._in_long_run and not rest) or len(self._run) > MOST_DIGITS
        return kept + reverse_digits(before) + (self.flush_run() if self._in_long_run else "")

    def flush(self) -> str:
        self._in_long_run = False
        return reverse_digits(self.flush_run())

    def flush_run(self) -> str:
        run, self._run = self._run, ""
        return run


class _StreamingCase:
    def __init__(self) -> None:
        # The marker, with its blank if that has come, that still waits for a letter; or ESCAPE, for its sign.
        self._waiting = ""
        self._capitals_left = 0

    def push(self, text: str) -> str:
        if not text:
            return ""
        in_capitals = _in_capitals(text, self._capitals_left)
        if len(in_capitals) == len(text):
            self._capitals_left -= len(text)
            return in_capitals.upper()
        text = self._waiting + text[len(in_capitals) :]
        self._waiting, self._capitals_left = "", 0
        last = _mark_at_end(text)
        if last is None:
            return in_capitals.upper() + unmap_case(text)
        if _is_waiting(last):
            self._waiting = last.group()
            text = text[: last.start()]
        elif last.group(3):
            self._capitals_left = MOST_CAPITALS - len(last.group(3).lstrip(" "))
        return in_capitals.upper() + unmap_case(text)

    def flush(self) -> str:
        held = unmap_case(self._waiting)
        self._waiting, self._capitals_left = "", 0
        return held


def _in_capitals(text: str, most: int) -> str:
    letters = _LETTERS.match(text)
    assert letters is not None
    return letters.group()[:most]


def _mark_at_end(text: str) -> re.Match[str] | None:
    marks = list(_MARKED.finditer(text))
    return marks[-1] if marks and marks[-1].end() == len(text) else None


def _is_waiting(mark: re.Match[str]) -> bool:
    return mark.group(mark.lastindex or 0) in ("", " ")
