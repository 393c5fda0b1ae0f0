r"""Reversible rewriting of text before tokenisation: digit order, where numbers end, and capitals.

Digits: every run of 2 to 64 ASCII digits is turned round, so that the least significant digit comes first and carries
flow in the order of generation (Atom-2.7m card; Abacus embeddings, arXiv:2405.17399). Longer runs stay as they are.

Closing: the digit of each run of ASCII digits that is written last becomes a closing mark, U+0012 for 0 to U+001B for
9. Then no number's tokens are a beginning of another's: after "4" a model has not said whether 14 is meant, after the
mark of 4 it has (decisions/0028-numbers-that-end-themselves.md).

Capitals: ASCII capitals are written in lower case behind a marker, so that a word is one token however it is
capitalised (lossless caps; the mechanism of the AtomixS2-5M card is not published):

    a capital                          The, I, iPhone    TITLE the, TITLE i, i TITLE phone
    2 to 32 in a row                   NASA, iOS         ALLCAPS nasa, i ALLCAPS os
    with small letters behind them     HTMLParser        ALLCAPS html TITLE parser

The last capital before a small letter begins a word and never belongs to the row. Of more than 32 in a row, all but
the last 32 are marked one by one.

A marker stands before the one blank in front of its capital (" The" -> TITLE " the"), because byte-level BPE joins
that blank to the word: " The" and " the" then share a token. (Measured November 2026, 4,096 entries, 6 MB of
docstrings: 3.14 bytes per token against 3.10 with the marker behind the blank and 3.19 without markers.)

The characters that a rule uses, found in the text itself, become ESCAPE and a sign: TITLE ``^``, ALLCAPS ``_``,
ESCAPE ``!``, the ten closing marks ``"#%,:;<>?@``. Those of a rule that is off are characters like others.

Only ASCII, because Unicode case folding cannot be undone (İ, ß, ſ, K) and other scripts' digits have their own order.
All rules hold for every string, lone surrogates included, and take linear time. Both limits are there so that
tokenizer.json alone can say the same (decisions/0014-portable-rules.md).
"""

import re
from dataclasses import asdict, dataclass
from functools import cached_property

# C0 controls that text hardly ever holds: "shift out", "shift in", "data link escape".
TITLE, ALLCAPS, ESCAPE = "\x0e", "\x0f", "\x10"
# For the digits 0 to 9. C0 controls as well: one byte, so that each is a token of every byte-level vocabulary. U+0011
# is left out because tokenizer.json needs a character of its own.
CLOSING = "\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b"
# What follows ESCAPE for each of them: no letter, digit, blank or operator, and nothing that a replacement of
# JavaScript reads as more than itself.
_CASE_SIGNS = {TITLE: "^", ALLCAPS: "_"}
_CLOSING_SIGNS = dict(zip(CLOSING, '"#%,:;<>?@', strict=True))
# As many as a model of ours has places for: the digit features tell apart 64.
MOST_DIGITS = 64
# No English word is longer.
MOST_CAPITALS = 32

_DIGITS = "0123456789"
# The look-behind keeps a megabyte of digits linear: a run is only tried from its start.
_DIGIT_RUN = re.compile(rf"(?<![0-9])[0-9]{{2,{MOST_DIGITS}}}(?![0-9])")
_LAST_DIGIT = re.compile("[0-9](?![0-9])")
_CLOSED = str.maketrans(_DIGITS, CLOSING)
_OPENED = str.maketrans(CLOSING, _DIGITS)
_CAPITALS = r" ?(?:[A-Z]{2,}(?![a-z])|[A-Z])"
_CAPITAL = re.compile(r" ?[A-Z]")
_MARKED = rf"\x0e( ?[A-Za-z]?)|\x0f( ?[A-Za-z]{{0,{MOST_CAPITALS}}})"
# Its group for the letters of a row, behind those for a sign and for one letter.
_ROW = 3
_LETTERS = re.compile(r"[A-Za-z]*")


@dataclass(frozen=True, kw_only=True)
class TextRules:
    """Which rules are on. ``invert(apply(text)) == text`` for every string."""

    reverse_digits: bool = False
    map_case: bool = False
    close_numbers: bool = False

    def apply(self, text: str) -> str:
        """The text as the tokenizer sees it."""
        if self.map_case or self.close_numbers:
            text = self._marks.put(text)
        if self.reverse_digits:
            text = reverse_digits(text)
        return close_numbers(text) if self.close_numbers else text

    def invert(self, text: str) -> str:
        """The text as people see it. Any text is accepted, as a model may write any: stray markers disappear."""
        # Digits first: their runs are those of the model's tokens, which a stray marker interrupts.
        if self.close_numbers:
            text = open_numbers(text)
        if self.reverse_digits:
            text = reverse_digits(text)
        return self._marks.take(text) if self.map_case or self.close_numbers else text

    @property
    def escaped(self) -> dict[str, str]:
        """What follows ESCAPE for each character that the rules use, ESCAPE first; empty where they use none."""
        signs = {**(_CASE_SIGNS if self.map_case else {}), **(_CLOSING_SIGNS if self.close_numbers else {})}
        return {ESCAPE: "!", **signs} if signs else {}

    def as_dict(self) -> dict[str, bool]:
        """Plain data. A rule that came later is left out where it is off, so that tokenizers keep their
        fingerprints.
        """
        rules = asdict(self)
        return rules if self.close_numbers else {name: rules[name] for name in rules if name != "close_numbers"}

    @cached_property
    def _marks(self) -> "_Marks":
        return _Marks(self)


def reverse_digits(text: str) -> str:
    """Turn every run of 2 to 64 ASCII digits round; doing it twice gives the text back."""
    return _DIGIT_RUN.sub(lambda run: run.group()[::-1], text)


def close_numbers(text: str) -> str:
    """Put a closing mark in the place of the last digit of every run of ASCII digits."""
    return _LAST_DIGIT.sub(lambda digit: digit.group().translate(_CLOSED), text)


def open_numbers(text: str) -> str:
    """Write every closing mark as its digit."""
    return text.translate(_OPENED)


class _Marks:
    """What stands for a character in the text: markers of capitals, and escapes."""

    def __init__(self, rules: TextRules) -> None:
        self._escaped = rules.escaped
        self._unescaped = {"": "", **{sign: character for character, sign in self._escaped.items()}}
        characters, signs = "".join(self._escaped), "".join(self._escaped.values())
        # The first sign is no "^", and none means anything else in brackets.
        self._meant = re.compile(f"[{characters}]" + (f"|{_CAPITALS}" if rules.map_case else ""))
        self.written = re.compile(f"{ESCAPE}([{signs}]?)" + (f"|{_MARKED}" if rules.map_case else ""))

    def put(self, text: str) -> str:
        return self._meant.sub(self._marked, text)

    def take(self, text: str) -> str:
        return self.written.sub(self._unmarked, text)

    def _marked(self, match: re.Match[str]) -> str:
        found = match.group()
        return ESCAPE + self._escaped[found] if found in self._escaped else _in_small_letters(found)

    def _unmarked(self, match: re.Match[str]) -> str:
        sign = match.group(1)
        return "".join(match.groups("")).upper() if sign is None else self._unescaped[sign]


def _in_small_letters(found: str) -> str:
    row = found.lstrip(" ")
    if len(row) == 1:
        return TITLE + found.lower()
    if len(row) <= MOST_CAPITALS:
        return ALLCAPS + found.lower()
    alone, together = found[:-MOST_CAPITALS], found[-MOST_CAPITALS:]
    return _CAPITAL.sub(lambda capital: TITLE + capital.group().lower(), alone) + ALLCAPS + together.lower()


class StreamingInverse:
    """``TextRules.invert`` for text that arrives in parts.

    The parts given back join to ``invert`` of the parts given, wherever the text was cut. Only what a later part
    could still change is held back: up to 64 digits that may go on, a marker that has no letter yet.
    """

    def __init__(self, rules: TextRules) -> None:
        # A mark is no sign that a number ends here: what a model writes behind it may be one more digit.
        self._opens = rules.close_numbers
        self._digits = _StreamingDigits() if rules.reverse_digits else None
        self._marks = _StreamingMarks(rules._marks) if rules.escaped else None

    def push(self, text: str) -> str:
        if self._opens:
            text = open_numbers(text)
        if self._digits:
            text = self._digits.push(text)
        return self._marks.push(text) if self._marks else text

    def flush(self) -> str:
        """What was held back; the next ``push`` begins a new text."""
        text = self._digits.flush() if self._digits else ""
        return self._marks.push(text) + self._marks.flush() if self._marks else text


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


class _StreamingMarks:
    def __init__(self, marks: _Marks) -> None:
        self._marks = marks
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
        last = self._mark_at_end(text)
        if last is None:
            return in_capitals.upper() + self._marks.take(text)
        if _is_waiting(last):
            self._waiting = last.group()
            text = text[: last.start()]
        elif last.lastindex == _ROW:
            self._capitals_left = MOST_CAPITALS - len(last.group(_ROW).lstrip(" "))
        return in_capitals.upper() + self._marks.take(text)

    def flush(self) -> str:
        held = self._marks.take(self._waiting)
        self._waiting, self._capitals_left = "", 0
        return held

    def _mark_at_end(self, text: str) -> re.Match[str] | None:
        marks = list(self._marks.written.finditer(text))
        return marks[-1] if marks and marks[-1].end() == len(text) else None


def _in_capitals(text: str, most: int) -> str:
    letters = _LETTERS.match(text)
    assert letters is not None
    return letters.group()[:most]


def _is_waiting(mark: re.Match[str]) -> bool:
    return mark.group(mark.lastindex or 0) in ("", " ")
