"""Texts that tell one reader of a tokenizer from another: capitals, digits, escapes, blanks and all of Unicode."""

import random

from .sample_text import sample_texts

_PIECES = [
    *"aBC 1\x0e\x0f\x10\x11\x12\x1b!_^~|>#\t\n\r=+(é٣²\x85\ufeff\u3000\x1f😀",
    "THE",
    " The",
    " 12",
    "  ",
    "'s",
    "<|x|>",
]


def awkward_texts(count: int, seed: int) -> list[str]:
    """About ``count`` texts: runs of every length that matters, then a third each of pieces, of any characters and of
    any characters between letters, blanks and digits.
    """
    draw = random.Random(seed)
    third = range(count // 3)
    return [
        *runs(),
        *sample_texts(10, seed),
        *("".join(draw.choices(_PIECES, k=draw.randint(0, 30))) for _ in third),
        *("".join(_scalar(draw) for _ in range(draw.randint(1, 30))) for _ in third),
        *("".join(draw.choice("a 1(Z") + _scalar(draw) for _ in range(draw.randint(1, 20))) for _ in third),
    ]


def runs() -> list[str]:
    """Every letter and digit in every place, and rows of capitals and digits around the limits of the text rules."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    capitals = [f"{before}{(2 * letters.upper())[:length]}" for length in range(1, 50) for before in ("", " ", "x")]
    digits = [("8035291746" * 9)[:length] for length in range(1, 80)]
    return [
        "",
        " ",
        " ".join(map(str.capitalize, letters)),
        *(text + end for text in capitals for end in ("", "b", ".")),
        *digits,
        *(f"x{text} {text}.{text}" for text in digits),
        "İstanbul, ß and ſ, \u212a; HTMLParser, McDonald's, iPhone's NASAs, I'D",
        "\x0eThe \x10\x0f \x10! \x11> \x11_12\x11|34 \x11!",
    ]


def _scalar(draw: random.Random) -> str:
    # Every other one from the part where most of what people write is.
    code = draw.randrange(draw.choice((0x3000, 0x110000)))
    return chr(code) if not 0xD800 <= code < 0xE000 else " "
