"""What the `tokenizers` library takes each Unicode scalar for, asked of the library itself.

So the classes are those of the Unicode version it was built with, whatever Python knows. Asking takes 1.5 s of one
core; the answer is kept beside the compiled encoder.
"""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import tokenizers
from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer

from smidgen.errors import OutOfResources
from smidgen.records import atomic

LETTER, NUMBER, OTHER, WHITE = range(4)
# Beside one of these: what `Digits` cuts off, which is not exactly the numbers of GPT-2's expression.
NUMERIC = 4
_SCALARS = sys.maxunicode + 1
_SURROGATES = range(0xD800, 0xE000)
_AT_ONCE = 0x4000
_DIGEST_BYTES = 32


def character_classes(cache: Path) -> bytes:
    """One byte for each scalar, from ``cache`` where the library has been asked before."""
    path = cache / f"characters-{tokenizers.__version__}.bin"
    stored = path.read_bytes() if path.is_file() else b""
    digest, classes = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if hashlib.sha256(classes).digest() == digest:
        return classes
    classes = ask()
    # Where nothing can be kept, it is asked each time.
    with suppress(OSError, OutOfResources):
        atomic.write_bytes(path, hashlib.sha256(classes).digest() + classes)
    return classes


def ask() -> bytes:
    """The classes as the library gives them now."""
    gpt2 = ByteLevel(add_prefix_space=False, use_regex=True)
    digits = Digits(individual_digits=False)
    classes = bytearray([OTHER]) * _SCALARS
    for start, end in _alike(gpt2):
        classes[start:end] = bytes([_class_of(gpt2, chr(start))]) * (end - start)
    for start, end in _alike(digits):
        if len(digits.pre_tokenize_str("1" + chr(start))) == 1:
            classes[start:end] = bytes(kind | NUMERIC for kind in classes[start:end])
    return bytes(classes)


def _alike(split: PreTokenizer) -> Iterator[tuple[int, int]]:
    """Ranges of scalars that the split leaves in one piece when all stand in a row, so that they are of one class."""
    for start in range(0, _SCALARS, _AT_ONCE):
        # One by one in ASCII, where a blank and contractions join classes.
        if start == 0:
            yield from ((scalar, scalar + 1) for scalar in range(128))
        scalars = [scalar for scalar in range(max(start, 128), start + _AT_ONCE) if scalar not in _SURROGATES]
        for _, (first, end) in split.pre_tokenize_str("".join(map(chr, scalars))):
            # Surrogates may lie between, but no text holds them.
            yield scalars[first], scalars[end - 1] + 1


def _class_of(gpt2: PreTokenizer, character: str) -> int:
    # Only what has the class of the character in front of it stays with it.
    for kind, companion in ((LETTER, "a"), (NUMBER, "1"), (OTHER, "!")):
        if len(gpt2.pre_tokenize_str(companion + character)) == 1:
            return kind
    return WHITE
