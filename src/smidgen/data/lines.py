"""From bytes to lines: byte order marks, lines of any length, and none that could fill the memory."""

import codecs
import io
from collections.abc import Iterable, Iterator

from smidgen.data.stored_file import StoredFile
from smidgen.errors import BadInput

# UTF-32 first: its mark begins with that of UTF-16.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LONGEST_MARK_BYTES = 4
# A row is in memory as bytes, as JSON and as text at once: four times this stays below 1 GB.
LONGEST_LINE_BYTES = 134_217_728


def byte_lines(chunks: Iterable[bytes], start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield lines with the position of their first byte, counted from ``start``; each ends with a line feed except
    perhaps the last. A line of more than 128 MiB comes as ``b""``.
    """
    # A line over many chunks is joined once: adding to it chunk by chunk would take time in its square.
    parts: list[bytes] = []
    length = 0
    for chunk in chunks:
        for part in io.BytesIO(chunk):
            length += len(part)
            parts.append(part)
            if length > LONGEST_LINE_BYTES:
                parts = [b""]
            if part.endswith(b"\n"):
                yield start, b"".join(parts) if len(parts) > 1 else parts[0]
                start += length
                parts, length = [], 0
    if parts:
        yield start, b"".join(parts)


def marked_encoding(beginning: bytes) -> str:
    """What the byte order mark at the beginning of a file says; empty for UTF-8, with or without a mark."""
    return next((name for mark, name in BYTE_ORDER_MARKS if beginning.startswith(mark)), "")


def as_utf8(file: StoredFile, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of a file from its beginning without a byte order mark, in UTF-8 if the mark says UTF-16 or UTF-32.

    Half a character at the end comes as half a character of UTF-8. Raises ``BadInput`` for what no text holds.
    """
    first = b""
    while len(first) < LONGEST_MARK_BYTES and (chunk := next(chunks, b"")):
        first += chunk
    encoding = marked_encoding(first)
    if encoding:
        yield from _converted(file, encoding, first, chunks)
    else:
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from chunks


def _converted(file: StoredFile, encoding: str, first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    try:
        yield decoder.decode(first).encode("utf-8", "surrogatepass")
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{file.location} begins with the byte order mark of {encoding.upper()} but is not {encoding.upper()} "
            f"throughout ({error.reason}); save it as UTF-8"
        ) from error
    try:
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError:
        yield b"\xc3"
