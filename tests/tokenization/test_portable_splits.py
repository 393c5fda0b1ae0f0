import itertools

import pytest
from tokenizers import PreTokenizedString, Regex, normalizers
from tokenizers.pre_tokenizers import Sequence

from smidgen.tokenization import portable_splits
from smidgen.tokenization.splits import Splits

from .awkward_text import awkward_texts

SCALARS = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x110000))]
EVERY_SPLITS = [
    Splits(digits=digits, operators=operators, whitespace=whitespace, closing=closing)
    for digits, operators, whitespace, closing in itertools.product((False, True), repeat=4)
]


def cuts(splitter, text):
    pieces = PreTokenizedString(text)
    splitter.pre_tokenize(pieces)
    return [(piece, offsets) for piece, offsets, _ in pieces.get_splits("original", "byte")]


def first_of_each_piece(text):
    """By either splitter that knows kinds of characters."""
    content = text.encode()
    starts = {
        start for splits in (Splits(), Splits(digits=True)) for _, (start, _) in cuts(splits.pre_tokenizer(), text)
    }
    return [content[start : start + 4].decode(errors="ignore")[0] for start in sorted(starts)]


@pytest.mark.parametrize("splits", EVERY_SPLITS, ids=str)
def test_texts_are_cut_at_the_same_places(splits):
    ours, theirs = splits.pre_tokenizer(), portable_splits.pre_tokenizer(splits)
    for text in awkward_texts(300, seed=2):
        assert cuts(theirs, text) == cuts(ours, text)


@pytest.mark.parametrize(
    "splits", [Splits(), Splits(digits=True, whitespace=True, closing=True)], ids=["plain", "isolated"]
)
def test_every_character_is_cut_off_from_others_the_same_way(splits):
    ours, theirs = splits.pre_tokenizer(), portable_splits.pre_tokenizer(splits)
    # All in a row are cut wherever one is of another kind than the one before; then one of each kind is enough.
    row = "".join(SCALARS)
    assert cuts(theirs, row) == cuts(ours, row)
    characters = [*SCALARS[:0x1000], *first_of_each_piece(row)]
    # With these around it, a character shows whether it is a letter, a number, a blank or something else.
    for around in ("{}", "a{}", " {}", "1{}", ".{}"):
        text = "".join(map(around.format, characters))
        assert cuts(theirs, text) == cuts(ours, text)


def test_blanks_are_those_of_the_library():
    every = "".join(SCALARS)
    by_name, written_out = (
        normalizers.Replace(Regex(blanks), "").normalize_str(every)
        for blanks in (r"\s", f"[{portable_splits.LINE_BREAKS}{portable_splits.BLANKS}]")
    )
    assert by_name == written_out
    assert len(every) - len(by_name) == 25


def test_no_class_of_characters_is_left_to_the_reader():
    """JavaScript and other versions of the library mean other sets by these names."""
    written = portable_splits.pre_tokenizer(Splits(digits=True, operators=True, whitespace=True, closing=True))
    assert isinstance(written, Sequence)
    for name in (rb"\\s", rb"\\S", rb"\\p", rb"\\d", b"Digits", b'"use_regex":true'):
        assert name not in written.__getstate__()


def test_no_split_can_be_left_out():
    """Otherwise the tests here could not notice that it is wrong."""
    splits = Splits(digits=True, operators=True, whitespace=True, closing=True)
    parts = [*portable_splits.pre_tokenizer(splits)]
    texts = awkward_texts(60, seed=3)
    expected = [cuts(splits.pre_tokenizer(), text) for text in texts]
    for left_out in range(len(parts)):
        rest = Sequence([*parts[:left_out], *parts[left_out + 1 :]])
        assert [cuts(rest, text) for text in texts] != expected
