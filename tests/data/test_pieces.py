import random

from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.data.pieces import INSIDE_A_PARAGRAPH, LARGEST_PIECE_CHARACTERS, SMALLEST_PIECE_CHARACTERS, pieces


def cut_up(text: str) -> list[str]:
    return [piece for _, piece in pieces(enumerate(text.split("\n"), start=1))]


def book(paragraphs: int) -> str:
    chance = random.Random(3)
    return "\n\n".join(f"Paragraph {number}. " + "word " * chance.randrange(5, 300) for number in range(paragraphs))


def test_a_book_is_cut_between_paragraphs_into_pieces_of_4000_to_8000_characters():
    cut = cut_up(book(300))
    for piece in cut[:-1]:
        assert SMALLEST_PIECE_CHARACTERS <= len(piece) <= LARGEST_PIECE_CHARACTERS
        assert piece.startswith("Paragraph")
    assert "\n\n".join(cut).split("\n\n") == [paragraph.rstrip() for paragraph in book(300).split("\n\n")]


def test_a_text_cut_where_a_piece_begins_with_a_paragraph_gives_the_same_pieces():
    text = book(40) + "\n\n" + "sentence. " * 3_000 + "\n\n" + book(40)
    lines = list(enumerate(text.split("\n")))
    cut = list(pieces(lines))
    assert INSIDE_A_PARAGRAPH in [start for start, _ in cut]
    tried = 0
    for number, (start, _) in enumerate(cut):
        if start != INSIDE_A_PARAGRAPH:
            assert [*pieces(lines[:start]), *pieces(lines[start:])] == cut, number
            tried += 1
    assert tried > 10


def test_a_long_paragraph_is_cut_after_a_line_a_sentence_or_a_word():
    for unit, end in (("words of a line\n", "\n"), ("words of a sentence. ", ". "), ("word ", " ")):
        cut = [piece for _, piece in pieces([(1, unit * 4_000)])]
        assert len(cut) > 2
        assert all(piece.endswith(end) for piece in cut[:-1])
    assert [len(piece) for _, piece in pieces([(1, "x" * 20_000)])] == [8_000, 8_000, 4_000]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "ab. ", "word ", "x\u00e9"]), st.integers(0, 3_000)), max_size=12))
def test_cutting_loses_nothing_but_blanks(parts):
    text = "\n".join(unit * count for unit, count in parts)
    cut = cut_up(text)
    assert "".join("".join(cut).split()) == "".join(text.split())
    assert all(0 < len(piece) <= LARGEST_PIECE_CHARACTERS for piece in cut)
