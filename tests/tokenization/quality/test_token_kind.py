import pytest

from smidgen.recipes.tokenizer import SpecialTokens, TokenizerSettings
from smidgen.tokenization.quality.subject import Subject
from smidgen.tokenization.quality.token_kind import TokenKind, kind_of, token_kinds
from smidgen.tokenization.text_rules import ALLCAPS, CLOSING, ESCAPE, TITLE
from smidgen.tokenization.training import train_tokenizer

MARKERS = TITLE + ALLCAPS + ESCAPE


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (" the", TokenKind.LETTERS),
        ("é", TokenKind.LETTERS),
        ("日本", TokenKind.LETTERS),
        ("'s", TokenKind.LETTERS),
        (" The", TokenKind.CAPITALS),
        ("iP", TokenKind.CAPITALS),
        ("É", TokenKind.CAPITALS),
        ("ǅ", TokenKind.CAPITALS),
        (" 12", TokenKind.DIGITS),
        ("x1", TokenKind.DIGITS),
        ("٣", TokenKind.DIGITS),
        ("²", TokenKind.DIGITS),
        (" \n\t", TokenKind.WHITESPACE),
        ("\u3000", TokenKind.WHITESPACE),
        ("().", TokenKind.SIGNS),
        (" =", TokenKind.SIGNS),
        ("😀", TokenKind.SIGNS),
        ("\0", TokenKind.SIGNS),
        (TITLE, TokenKind.SIGNS),
    ],
)
def test_kinds_of_text(content, kind):
    assert kind_of(content.encode()) == kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (TITLE, TokenKind.MARKERS),
        (f"{ALLCAPS} ", TokenKind.MARKERS),
        (f"{TITLE} the", TokenKind.CAPITALS),
        (" the", TokenKind.LETTERS),
        (" ", TokenKind.WHITESPACE),
        (".", TokenKind.SIGNS),
    ],
)
def test_markers_stand_for_capitals(content, kind):
    assert kind_of(content.encode(), MARKERS) == kind


def test_a_closing_mark_is_a_digit_where_numbers_are_closed():
    assert kind_of(CLOSING[4].encode()) == TokenKind.SIGNS
    assert kind_of(CLOSING[4].encode(), MARKERS, closes_numbers=True) == TokenKind.DIGITS
    settings = TokenizerSettings(digits="single", close_numbers=True, case_mapping=True)
    kinds = token_kinds(Subject.of(train_tokenizer(["The the the"], settings, 260)))
    assert kinds.count(TokenKind.DIGITS) == 20
    assert kinds.count(TokenKind.MARKERS) == 3


def test_bytes_that_are_no_characters_are_parts():
    assert kind_of(b"\xe6") == kind_of(b" \xf0\x9f") == TokenKind.PARTS


def test_every_id_has_a_kind():
    settings = TokenizerSettings(special_tokens=SpecialTokens(pad="<pad>"), case_mapping=True)
    kinds = token_kinds(Subject.of(train_tokenizer(["The the the"], settings, 260)))
    assert len(kinds) == 260
    assert kinds[:2] == [TokenKind.CONTROL, TokenKind.CONTROL]
    assert kinds.count(TokenKind.MARKERS) == 3
    assert kinds.count(TokenKind.DIGITS) == 10
    assert kinds.count(TokenKind.PARTS) == 128
