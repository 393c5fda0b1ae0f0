"""The text rules as replacements by fixed texts, one after the other, for normalizer and decoder of tokenizer.json.

A replacement can neither repeat what it found nor change its letters. So a marker is inserted at a place that
look-around describes, and letters change in 26 replacements. A run of digits is turned round in 20: it gets as many
places in front of it as it has digits; the n-th place before the run takes the run's n-th digit, in one replacement
for each kind of digit; then the run goes. Signs for this begin with a character of our own; where the text itself has
it, it is set apart first and restored last. The last digit of a run becomes its closing mark in ten replacements, one
for each kind of digit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits

from tokenizers import Regex, decoders, normalizers

from smidgen.tokenization.text_rules import (
    ALLCAPS,
    CLOSING,
    ESCAPE,
    MOST_CAPITALS,
    MOST_DIGITS,
    TITLE,
    TextRules,
)

# C0 control "device control one".
_OWN = "\x11"
_OF_THE_TEXT, _START, _RUN, _PLACE = _OWN + "!", _OWN + ">", _OWN + "|", _OWN + "_"
# An ESCAPE of the model's without its sign.
_STRAY = ESCAPE + "~"


@dataclass(frozen=True)
class Replacement:
    """Of a literal text, or wherever ``pattern`` matches."""

    text: str
    by: str
    is_pattern: bool = False

    def as_normalizer(self) -> normalizers.Replace:
        return normalizers.Replace(self._found, self.by)

    def as_decoder(self) -> decoders.Replace:
        return decoders.Replace(self._found, self.by)

    @property
    def _found(self) -> str | Regex:
        return Regex(self.text) if self.is_pattern else self.text


def normalizer(rules: TextRules) -> list[normalizers.Normalizer]:
    """The steps that do what ``rules.apply`` does."""
    steps = [
        *(Replacement(character, ESCAPE + sign) for character, sign in rules.escaped.items()),
        *(_map_case() if rules.map_case else ()),
        *(_reverse_digits() if rules.reverse_digits else ()),
        *(_close_numbers() if rules.close_numbers else ()),
    ]
    return [
        Replacement(_OWN, _OF_THE_TEXT).as_normalizer(),
        # What is inserted at the very beginning of a text has no place in the original, and byte-level splitting then
        # doubles or drops it (seen in tokenizers 0.22.2 and 0.23.3). So nothing is.
        normalizers.Prepend(_START),
        *(step.as_normalizer() for step in steps),
        Replacement(_START, "").as_normalizer(),
        Replacement(_OF_THE_TEXT, _OWN).as_normalizer(),
    ]


def decoder(rules: TextRules) -> list[decoders.Decoder]:
    """The steps that do what ``rules.invert`` does, for a text in one piece."""
    steps = [
        *(map(Replacement, CLOSING, digits) if rules.close_numbers else ()),
        *(_reverse_digits() if rules.reverse_digits else ()),
        *_take_marks(rules),
    ]
    set_apart, restored = Replacement(_OWN, _OF_THE_TEXT), Replacement(_OF_THE_TEXT, _OWN)
    return [step.as_decoder() for step in (set_apart, *steps, restored)]


def _reverse_digits() -> Iterator[Replacement]:
    yield _pattern(f"(?<![0-9])(?=[0-9]{{2,{MOST_DIGITS}}}(?![0-9]))", _RUN)
    run = _RUN.replace("|", r"\|")
    for places in _powers_of_two(MOST_DIGITS):
        # Runs whose length has this power of two in it.
        length = f"(?:[0-9]{{{2 * places}}})*[0-9]{{{places}}}[0-9]{{0,{places - 1}}}(?![0-9])"
        yield _pattern(f"{run}(?={length})", places * _PLACE + _RUN)
    for digit in digits:
        yield _pattern(f"{_PLACE}(?={_nth_after_n_places(digit)})", digit)
    yield _pattern(f"{run}[0-9]+", "")


def _nth_after_n_places(digit: str) -> str:
    """A pattern for what stands behind a place: n - 1 more places, filled or not, and a run whose n-th digit is this.

    Nested, so that each place is read once, however many there are.
    """
    pattern = ""
    for others in reversed(range(MOST_DIGITS)):
        here = rf"{_OWN}\|[0-9]{{{others}}}{digit}"
        pattern = rf"(?:{here}|(?:{_PLACE}|[0-9]){pattern})" if pattern else here
    return pattern


def _close_numbers() -> Iterator[Replacement]:
    # No mark either: the digit in front of the last would be the last of what is left. The text's own are escaped.
    for digit, mark in zip(digits, CLOSING, strict=True):
        yield _pattern(f"{digit}(?![0-9{CLOSING[0]}-{CLOSING[-1]}])", mark)


def _map_case() -> Iterator[Replacement]:
    # The beginning of a word, and a capital alone: before no letter, or before the beginning of a word.
    begins, alone = "[A-Z][a-z]", "[A-Z](?:[A-Z][a-z]|(?![A-Za-z]))"
    yield _pattern(f"(?= {begins})|(?<! )(?={begins})|(?= {alone})|(?<![A-Z ])(?={alone})", TITLE)
    # What is left are rows, each up to a marker or to what is no letter.
    long = f"[A-Z]{{{MOST_CAPITALS + 1}}}"
    yield _pattern(f"(?= {long})|(?<! )(?={long})", TITLE)
    row = f"[A-Z]{{2,{MOST_CAPITALS}}}(?![A-Z])"
    after_one = "|".join(f"(?<={TITLE}{blank}[A-Z])(?={row})" for blank in ("", " "))
    yield _pattern(f"(?= {row})|(?<![A-Z ])(?={row})|{after_one}", ALLCAPS)
    yield from map(Replacement, ascii_uppercase, ascii_lowercase)


def _take_marks(rules: TextRules) -> Iterator[Replacement]:
    escaped = rules.escaped
    if not escaped:
        return
    yield _pattern(f"{ESCAPE}(?![{''.join(escaped.values())}])", _STRAY)
    if rules.map_case:
        yield from _unmap_case()
    yield Replacement(_STRAY, "")
    # ESCAPE last, as it would make new escapes of what follows it.
    for character in sorted(escaped, key=ESCAPE.__eq__):
        yield Replacement(ESCAPE + escaped[character], character)


def _unmap_case() -> Iterator[Replacement]:
    for marker in (TITLE, ALLCAPS):
        yield Replacement(f"{marker} ", f" {marker}")
    # The marker of a row before each of its letters: the 17th first, then each 9th, 5th, 3rd and 2nd after a marker.
    for letters in reversed([*_powers_of_two(MOST_CAPITALS // 2)]):
        yield _pattern(f"(?<={ALLCAPS}[A-Za-z]{{{letters}}})(?=[A-Za-z])", ALLCAPS)
    yield Replacement(ALLCAPS, TITLE)
    for small, capital in zip(ascii_lowercase, ascii_uppercase, strict=True):
        yield Replacement(TITLE + small, capital)
    yield Replacement(TITLE, "")


def _pattern(pattern: str, by: str) -> Replacement:
    return Replacement(pattern, by, is_pattern=True)


def _powers_of_two(most: int) -> Iterator[int]:
    power = 1
    while power <= most:
        yield power
        power *= 2
