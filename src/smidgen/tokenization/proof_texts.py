"""Texts on which tokenizers are known to fail, as streams; equal arguments give equal texts."""

import itertools
from collections.abc import Iterator, Sequence
from random import Random

CHARACTERS_PER_TEXT = 1024
# Written by hand: characters whose case folding cannot be undone, capitals of every pattern, the control characters
# that stand for capitals, alone, in runs and where they would be mistaken for their own.
CAPITALS = (
    *("İ", "ß", "ſ", "\u212a", "ǅ", "ŉ", "ﬁ", "\u2126", "ı", "Σς", "ΐ", "I", "A", "a", "Å", "\u212b"),
    *("MISSISSIPPI", "iPhone", "iPHONE", "McDonald", "XyZ", "NASA's", "NASAs", "ÉCOLE", "straße STRASSE", "aİb"),
    *("I I I", " I", "  Aa  AA", "A\nB", "x86 X86", "_Foo_BAR_baz", "A" * 31, "A" * 32, "A" * 33, "A" * 100 + "b"),
    *("\x0e", "\x0f", "\x10", "\x11", "\x0eThe", "The\x0e", "\x10\x0f A", "\x0e\x0f\x10\x11" * 3, "A\x10B \x0eC"),
    *("\x10" * 9, "\x10" * 9 + "A", "\x10!", "\x10^\x10_", "\x0e the", "\x0f nasa", "\x0e" * 5 + "\x0f" * 5 + " Ab"),
)
HARD = (
    *(" ", "  ", "\t", "\n", "\r\n", "\r", "\n\n\n", "\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\u2003", "\u2028"),
    *("\u3000", "\ufeff", "\u200b", "\u200d", "\u0301", "e\u0301\u0323", "\u0e33", "\u1100\u1161", "é", "ÿ"),
    *("👩\u200d👩\u200d👧", "🇩🇪", "👍🏽", "😀", "日本", "한국", "नमस्ते", "שלום", "مرحبا", "ไทย"),
    *("٣٤", "३४", "３４", "²³", "½", "Ⅳ", "𝟘", "0", "12", "007", "3.14", "1,000", "9" * 63, "9" * 65, "1" * 200),
    *("'s", "'S", "'ll", "’s", "don't", "I'M", "+", "-", "*", "/", "=", "(", ")", "--", "==", "+-", "12+34=46"),
    *("the", " the", "The", " The", "THE", " THE", "a", "A", " A", "_", "\\", '"', "{}", "<", "<|", "|>", "</s>"),
    *("\x00", "\x01", "\x7f", "\x0e", "\x0f", "\x10", "\x11", "\x1b[0m", "\ufffd", "\uffff", "\U0010ffff"),
    *("\x12", "\x13" * 3, "1\x14", "\x152", "7\x10#"),
)
CONTROL_TOKEN_NAMES = ("<|endoftext|>", "<pad>", "<bos>", "<eos>", "<unk>", "<s>", "</s>", "[PAD]", "[CLS]")
RUNS = ("a", "A", "aA", "1", " ", "\n ", "-a", "é", "😀", "\x0e", "\x10", "Aa ", "A1", "\u0301")
_WORDS = ("the", "of", "river", "house", "because", "Small", "OLD", "x", "12", "7", "then", "-", "it's", "día")


def every_character() -> Iterator[str]:
    """All 1,112,064 Unicode scalar values, in 1,086 texts."""
    scalars = (*range(0xD800), *range(0xE000, 0x110000))
    for start in range(0, len(scalars), CHARACTERS_PER_TEXT):
        yield "".join(map(chr, scalars[start : start + CHARACTERS_PER_TEXT]))


def digit_strings(longer: int) -> Iterator[str]:
    """All 111,110 strings of up to five digits, then so many of six to two hundred, some beside other things."""
    for length in range(1, 6):
        yield from map("".join, itertools.product("0123456789", repeat=length))
    draw = Random("digit strings")
    for _ in range(longer):
        digits = "".join(draw.choices("0123456789", k=draw.randint(6, 200)))
        yield draw.choice(("", "", "", "x", "-", " ", "3.", "٣")) + digits + draw.choice(("", "", "y", ".5", "\n1"))


def capitals() -> Iterator[str]:
    """The zoo, every pattern of capitals in words of up to eight letters, every short text of marker characters."""
    yield from CAPITALS
    for length in range(1, 9):
        for capital in itertools.product((False, True), repeat=length):
            word = "".join(letter.upper() if up else letter for letter, up in zip("the" * 3, capital, strict=False))
            yield from (word, " " + word, f"x {word}'s 1{word}")
    for length in range(1, 5):
        yield from map("".join, itertools.product("aB 1\x0e\x0f\x10\x11", repeat=length))


def random_texts(count: int, seed: int = 0) -> Iterator[str]:
    """Up to twelve pieces each: what is hard, any characters at all, words, digits."""
    draw = Random(f"random texts {seed}")
    for _ in range(count):
        yield "".join(_piece(draw) for _ in range(draw.randint(1, 12)))


def documents_with_control_names(count: int, names: Sequence[str] = CONTROL_TOKEN_NAMES) -> Iterator[str]:
    """Short documents in which the names of control tokens stand between, inside and right after words."""
    draw = Random("control names")
    for _ in range(count):
        words = draw.choices(_WORDS, k=draw.randint(2, 8))
        for _ in range(draw.randint(1, 3)):
            words.insert(draw.randrange(len(words) + 1), draw.choice(names))
        yield draw.choice((" ", " ", "", "\n")).join(words)


def long_runs(characters: int) -> Iterator[str]:
    """One piece of text again and again, about as long as asked for."""
    return (unit * (characters // len(unit)) for unit in RUNS)


def _piece(draw: Random) -> str:
    kind = draw.random()
    if kind < 0.5:
        return draw.choice(HARD)
    if kind < 0.6:
        return draw.choice(CAPITALS)
    if kind < 0.65:
        return draw.choice(CONTROL_TOKEN_NAMES)
    if kind < 0.75:
        return "".join(draw.choices("0123456789", k=draw.randint(1, 12)))
    if kind < 0.85:
        return "".join(draw.choices("abcXYZ", k=draw.randint(1, 8)))
    # Half of them from the first plane, where all living scripts are.
    return "".join(_character(draw) for _ in range(draw.randint(1, 6)))


def _character(draw: Random) -> str:
    code = draw.randrange(0xFFFF if draw.random() < 0.5 else 0x110000)
    return chr(code if not 0xD800 <= code < 0xE000 else code - 0xD800)
