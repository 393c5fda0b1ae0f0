"""Cutting a long text into documents between its paragraphs."""

import itertools
from collections.abc import Iterable, Iterator

SMALLEST_PIECE_CHARACTERS = 4_000
LARGEST_PIECE_CHARACTERS = 8_000
# Where a piece begins that does not begin with a paragraph.
INSIDE_A_PARAGRAPH = -1


def pieces(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join the lines of a text to pieces of about 4,000 to 8,000 characters, cut between paragraphs.

    Lines come with a number each, and so do pieces: that of their first line, or ``INSIDE_A_PARAGRAPH``. A text that
    is cut before a piece that begins with a paragraph gives the same pieces as the whole. Only a paragraph of more
    than 8,000 characters is cut inside: after a line, a sentence or a word. The last piece, and one before a long
    paragraph, may be shorter. Blank lines between paragraphs become one.
    """
    start, piece = 0, ""
    for number, part in itertools.chain.from_iterable(itertools.starmap(_parts, _paragraphs(lines))):
        if piece and len(piece) + 2 + len(part) > LARGEST_PIECE_CHARACTERS:
            yield start, piece
            piece = ""
        if piece:
            piece += "\n\n" + part
        else:
            start, piece = number, part
        # Also keeps the parts of one long paragraph apart: all but its last have this length.
        if len(piece) >= SMALLEST_PIECE_CHARACTERS:
            yield start, piece
            piece = ""
    if piece:
        yield start, piece


def _paragraphs(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    first, paragraph = 0, list[str]()
    for number, line in lines:
        if line and not line.isspace():
            if not paragraph:
                first = number
            paragraph.append(line.rstrip())
        elif paragraph:
            yield first, "\n".join(paragraph)
            paragraph = []
    if paragraph:
        yield first, "\n".join(paragraph)


def _parts(number: int, paragraph: str) -> Iterator[tuple[int, str]]:
    start = 0
    while len(paragraph) - start > LARGEST_PIECE_CHARACTERS:
        end = _cut(paragraph, start + SMALLEST_PIECE_CHARACTERS, start + LARGEST_PIECE_CHARACTERS)
        yield number, paragraph[start:end]
        start, number = end, INSIDE_A_PARAGRAPH
    yield number, paragraph[start:]


def _cut(paragraph: str, first: int, last: int) -> int:
    for boundary in ("\n", ". ", " "):
        found = paragraph.rfind(boundary, first, last)
        if found >= 0:
            return found + len(boundary)
    return last
