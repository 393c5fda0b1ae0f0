"""Ours against the library on a few texts that tell encoders apart, before ours is trusted."""

from collections.abc import Sequence
from itertools import chain

from smidgen.tokenization.definition import Definition
from smidgen.tokenization.native.encoder import NativeEncoder

_PIECES = (
    *("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'", "''s", " 's", "'S", "'r", "'l", "'sx", "don't", "we'll've"),
    *(" ", "  ", "   x", "\t", "\n", "\n\n", "\r\n", "\r", " \n ", "\x0b", "\x0c", "\x1c", "\x85"),
    *("\u00a0", "\u3000", " \u00a0x", "\u2028", "\u200b", "\u1680", "\ufeff"),
    *("\x00", "\x7f", "\x0e", "\x0f", "\x10", "\x11", "<|endoftext|>"),
    *("\x12", "\x1b", "\x12\x13", "1\x14", "\x1512", " \x16", "\x10#", "x\x17 "),
    *("1", "12", "007", " 123", "3.14", "1,000", "½", "²", "٣", "१२", "Ⅷ", "一", "𝟘", "x86", "9" * 64, "9" * 65),
    *("+", "-", "12+34=46", "(7 - 2) * 3 / 5 = 3", "--", "=>", "!", "...", "_x_", "a/b", "f(x)"),
    *("The", " the", "NASA", "NASA's", "iPhone", "McDonald", "HTMLParser", "I am A", "AA Ab"),
    *("A" * 33, " " + "B" * 40, "internationalisation", "a" * 70, "=" * 100, " " * 90, "0123456789" * 7),
    *("é", "e\u0301", "İ", "ß", "ſ", "\u212a", "ǅ", "ÉCOLE", "日本語", "한국어", "русский", "עברית", "हिन्दी", "ไทย"),
    *("😀", "👩‍👩‍👧", "🇪🇺", "\u0301", "\ue000", "\U0010ffff", "\U0001e900", "\U00016d40", "\U0001e5f1", "\u1c89"),
)
_JOINED = "".join(_PIECES)
CHECKED_TEXTS = (
    *("", *_PIECES, _JOINED, " ".join(_PIECES), "\n".join(reversed(_PIECES))),
    # Whatever a character is taken for, it stays with one of these.
    "".join(f"a{character}1{character}!{character} {character}" for character in dict.fromkeys(_JOINED)),
)


def agree(native: NativeEncoder, definition: Definition, library_ids: Sequence[list[int]]) -> bool:
    """Whether the compiled encoder cuts ``CHECKED_TEXTS`` as the library does and gives the ``library_ids``."""
    ids, counts = native.encode([text.encode() for text in CHECKED_TEXTS])
    if counts.tolist() != list(map(len, library_ids)) or ids.tolist() != list(chain.from_iterable(library_ids)):
        return False
    # Ids alone would not show a wrong cut where no token could reach across.
    split = definition.splits.pre_tokenizer()
    return all(
        native.words(text.encode()).tolist() == [len(symbols) for symbols, _ in split.pre_tokenize_str(text)]
        for text in CHECKED_TEXTS
    )
