"""The container: settings by key, and where each tensor's numbers lie. Nothing is allocated on a file's word.

Format: docs/gguf.md of ggml, versions 2 and 3, little-endian.
"""

import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.design.gguf.blocks import ALIGNMENT, BLOCKS
from smidgen.errors import BadInput

MAGIC = b"GGUF"
VERSIONS = (2, 3)
ALIGNMENT_KEY = "general.alignment"
# ggml_type -> our name (ggml.h).
KINDS = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    6: "Q5_0",
    7: "Q5_1",
    8: "Q8_0",
    10: "Q2_K",
    11: "Q3_K",
    12: "Q4_K",
    13: "Q5_K",
    14: "Q6_K",
    16: "IQ2_XXS",
    17: "IQ2_XS",
    18: "IQ3_XXS",
    19: "IQ1_S",
    20: "IQ4_NL",
    21: "IQ3_S",
    22: "IQ2_S",
    23: "IQ4_XS",
    29: "IQ1_M",
    30: "BF16",
    34: "TQ1_0",
    35: "TQ2_0",
    41: "Q1_0",
}
# gguf_type -> the format of one value; 8 is a string and 9 an array.
_VALUES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
# ggml.h, GGML_MAX_DIMS and GGML_MAX_NAME.
_MOST_DIMENSIONS, _LONGEST_NAME = 4, 64
# Far more than any model of ours has.
_MOST_ENTRIES = 65_536
# A string and a tensor's entry take at least so many bytes.
_LEAST_STRING, _LEAST_ENTRY = 8, 24


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Type, shape with the rows' length last, and the place of the numbers in the file."""

    kind: str
    shape: tuple[int, ...]
    start: int
    bytes: int


@dataclass(frozen=True)
class GGUFFile:
    """``content`` is the whole file, mapped and not read until it is used; ``start`` is where the numbers begin."""

    path: Path
    content: mmap.mmap
    settings: dict[str, Any]
    tensors: dict[str, StoredTensor]
    start: int

    def numbers(self, name: str) -> bytes:
        """The stored bytes of a tensor."""
        tensor = self.tensors[name]
        return self.content[tensor.start : tensor.start + tensor.bytes]


def read_gguf(path: Path) -> GGUFFile:
    """Raises ``BadInput`` for a file that is missing, damaged or of a version or type not known here."""
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as GGUF: {error}") from error
    try:
        return _parsed(path, content)
    except _Damaged as error:
        raise BadInput(f"{path} is no GGUF file that can be used: {error}") from error


class _Damaged(Exception):
    """What is wrong with a file, in words that follow its name."""


class _Cursor:
    """A place in the file that only moves within it."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.place = 0

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise _Damaged(f"it ends at byte {len(self.content)}, {length - self.left} bytes early")
        self.place += length
        return self.content[self.place - length : self.place]

    @property
    def left(self) -> int:
        return len(self.content) - self.place

    def value(self, form: str) -> Any:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def count(self, least_bytes: int, what: str) -> int:
        """How many of something follow, each of at least so many bytes."""
        number = self.value("Q")
        if number * least_bytes > self.left:
            raise _Damaged(f"it announces {number:,} {what}, more than it has bytes for")
        return number

    def string(self) -> str:
        content = self.take(self.count(1, "bytes of text"))
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise _Damaged("it holds a text that is not UTF-8") from error


def _parsed(path: Path, content: mmap.mmap) -> GGUFFile:
    cursor = _Cursor(content)
    if cursor.take(len(MAGIC)) != MAGIC:
        raise _Damaged("it does not begin with the letters GGUF")
    version = cursor.value("I")
    if version not in VERSIONS:
        raise _Damaged(f"it has version {version}; versions 2 and 3, little-endian, can be read")
    tensor_count = cursor.count(_LEAST_ENTRY, "tensors")
    setting_count = cursor.count(_LEAST_STRING, "settings")
    if max(tensor_count, setting_count) > _MOST_ENTRIES:
        raise _Damaged(f"it has more than {_MOST_ENTRIES:,} tensors or settings")
    settings = _named(setting_count, cursor, lambda: _setting(cursor))
    entries = _named(tensor_count, cursor, lambda: _entry(cursor))
    alignment = settings.get(ALIGNMENT_KEY, ALIGNMENT)
    if not isinstance(alignment, int) or alignment < 1 or alignment % 8:
        raise _Damaged(f"{ALIGNMENT_KEY} is {alignment!r}; a multiple of 8 would work")
    start = -(-cursor.place // alignment) * alignment
    tensors = {name: _placed(name, *entry, start=start, end=len(content)) for name, entry in entries.items()}
    return GGUFFile(path=path, content=content, settings=settings, tensors=tensors, start=start)


def _named(count: int, cursor: _Cursor, read: Callable[[], Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(count):
        name = cursor.string()
        if name in found:
            raise _Damaged(f"it names {name[:_LONGEST_NAME]!r} twice")
        found[name] = read()
    return found


def _setting(cursor: _Cursor) -> Any:
    kind = cursor.value("I")
    if kind != _ARRAY:
        return _value(cursor, kind)
    inner = cursor.value("I")
    if inner == _STRING:
        return [cursor.string() for _ in range(cursor.count(_LEAST_STRING, "texts"))]
    form = _known(inner)
    width = struct.calcsize("<" + form)
    count = cursor.count(width, "values")
    return list(struct.unpack(f"<{count}{form}", cursor.take(count * width)))


def _value(cursor: _Cursor, kind: int) -> Any:
    return cursor.string() if kind == _STRING else cursor.value(_known(kind))


def _known(kind: int) -> str:
    if kind not in _VALUES:
        raise _Damaged(f"a setting has type {kind}, which is unknown")
    return _VALUES[kind]


def _entry(cursor: _Cursor) -> tuple[tuple[int, ...], int, int]:
    """Shape, type and offset of a tensor."""
    dimensions = cursor.value("I")
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise _Damaged(f"a tensor has {dimensions} dimensions; 1 to {_MOST_DIMENSIONS} are possible")
    # The file has the length of a row first.
    shape = tuple(cursor.value("Q") for _ in range(dimensions))[::-1]
    return shape, cursor.value("I"), cursor.value("Q")


def _placed(name: str, shape: tuple[int, ...], kind: int, offset: int, *, start: int, end: int) -> StoredTensor:
    if kind not in KINDS:
        raise _Damaged(f"tensor {name[:_LONGEST_NAME]} has type {kind}, which is not known here")
    numbers, width = BLOCKS[KINDS[kind]]
    rows = 1
    for length in shape[:-1]:
        rows *= length
    if shape[-1] % numbers or rows * shape[-1] < 1:
        raise _Damaged(
            f"tensor {name[:_LONGEST_NAME]} has the shape {shape}, which is no whole blocks of {KINDS[kind]}"
        )
    length = rows * (shape[-1] // numbers) * width
    if start + offset + length > end:
        raise _Damaged(f"tensor {name[:_LONGEST_NAME]} ends beyond the file, which has {end:,} bytes")
    return StoredTensor(kind=KINDS[kind], shape=shape, start=start + offset, bytes=length)
