"""What a token is spent on: each is of one kind."""

from collections.abc import Sequence
from enum import StrEnum

from smidgen.tokenization.quality.subject import Subject
from smidgen.tokenization.text_rules import open_numbers


class TokenKind(StrEnum):
    """``CAPITALS`` are letters with a capital or its marker among them, ``MARKERS`` nothing but markers and blanks.

    A token with a digit or its closing mark is of ``DIGITS`` whatever else it holds. ``PARTS`` are bytes that are no
    whole characters.
    """

    LETTERS = "letters"
    CAPITALS = "capitals"
    MARKERS = "case markers"
    DIGITS = "digits"
    SIGNS = "signs"
    WHITESPACE = "whitespace"
    PARTS = "parts of characters"
    CONTROL = "control tokens"


def token_kinds(subject: Subject) -> Sequence[TokenKind]:
    """The kind of every id."""
    contents = map(subject.tokenizer.content, range(subject.tokenizer.vocab_size))
    return [
        TokenKind.CONTROL if is_control else kind_of(content, subject.markers, closes_numbers=subject.closes_numbers)
        for content, is_control in contents
    ]


def kind_of(content: bytes, markers: str = "", *, closes_numbers: bool = False) -> TokenKind:
    """The kind of an ordinary token with these bytes."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return TokenKind.PARTS
    if closes_numbers:
        text = open_numbers(text)
    bare = without_markers(text, markers)
    if bare != text and not bare.strip():
        return TokenKind.MARKERS
    if any(map(str.isdigit, bare)):
        return TokenKind.DIGITS
    if any(map(str.isalpha, bare)):
        has_capital = bare != text or any(letter.isupper() or letter.istitle() for letter in bare)
        return TokenKind.CAPITALS if has_capital else TokenKind.LETTERS
    return TokenKind.WHITESPACE if bare.isspace() else TokenKind.SIGNS


def without_markers(text: str, markers: str) -> str:
    return text.translate(dict.fromkeys(map(ord, markers))) if markers else text
