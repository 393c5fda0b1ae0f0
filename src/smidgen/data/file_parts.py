"""Parts of one file: stretches that can be read alone, cut where a row, a piece of text or a row group begins.

A part of parquet is a stretch of the file's bytes, and holds the row groups that begin there: to cut them nothing is
read. The same goes for plain JSON lines on the hub, whose lines are then numbered by their position. All other local
files are read through once, far faster than they are tokenised, because documents are named by the number of their
line or piece.
"""

import codecs
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from smidgen.data.document import Document, Rejected
from smidgen.data.lines import LONGEST_MARK_BYTES, as_utf8, byte_lines, marked_encoding
from smidgen.data.packing import is_packed, unpacked
from smidgen.data.parquet_rows import parquet_items
from smidgen.data.pieces import INSIDE_A_PARAGRAPH, pieces
from smidgen.data.rows import EMPTY_FILE, TOO_LONG_MARK, BadRow, check_first_row, from_piece, from_row, parsed
from smidgen.data.stored_file import StoredFile
from smidgen.errors import BadInput

TO_THE_END = 2**62
# Instead of the rows before a part. Lines are then numbered by the position of their first byte.
UNKNOWN = -1
# A reader of a packed file unpacks what lies before its part, at most so many times the part's own length. Measured:
# 340 MB/s of zstd, 190 of gzip; where tokenising does 3 MB/s this adds 5% and 9% at most.
LONGEST_SKIP_PARTS = 6
# White space and byte order marks: a line of them is no row, and only a file may be without rows, not a part of one.
BLANK = b" \t\n\r\v\f" + codecs.BOM_UTF8
# Every reader of a part of a remote parquet file fetches the file's table of contents, which may be a megabyte; so
# parts of remote files are larger, in bytes of the file.
REMOTE_PART_FACTOR = 4


@dataclass(frozen=True, kw_only=True)
class FilePart:
    """What begins in ``length`` bytes after the first ``skip`` that come out of the file when read from ``seek``.

    ``rows_before`` are the lines, or pieces of text, of the file before this part, or ``UNKNOWN``.
    """

    file: StoredFile
    text_key: str
    seek: int = 0
    skip: int = 0
    length: int = TO_THE_END
    rows_before: int = 0

    @property
    def begins_file(self) -> bool:
        return self.seek == 0 if self.rows_before == UNKNOWN else self.rows_before == 0


def whole_file(file: StoredFile, *, text_key: str) -> FilePart:
    """The part that is all of a file; its documents have the same ids as those of its parts."""
    by_position = file.is_remote and not is_packed(file.name) and not _is_text(file.name)
    return FilePart(file=file, text_key=text_key, rows_before=UNKNOWN if by_position else 0)


def parts_of_file(file: StoredFile, *, text_key: str, part_bytes: int) -> Iterator[FilePart]:
    """Yield the parts of a file in order, each with about ``part_bytes`` of text, or of the file in case of parquet.

    Raises ``BadInput`` for a file that cannot be read, ``OutOfResources`` when the hub does not answer.
    """
    whole = whole_file(file, text_key=text_key)
    name = file.name.lower()
    if name.endswith(".parquet") or whole.rows_before == UNKNOWN:
        yield from _cut_by_bytes(whole, part_bytes * (REMOTE_PART_FACTOR if file.is_remote else 1))
    elif file.is_remote:
        # It would have to come over the network once for each of its parts.
        yield whole
    else:
        with file.opened() as stream:
            if marked_encoding(_beginning(file, stream)):
                # Its line feeds are not single bytes.
                yield whole
            elif _is_text(name):
                yield from _cut_at_pieces(whole, stream, part_bytes)
            else:
                yield from _cut_at_lines(whole, stream, part_bytes)


def read_file_part(part: FilePart) -> Iterator[Document | Rejected]:
    """Yield what each row of a part is, in order. Raises ``BadInput`` for a file that cannot be used as a whole."""
    with part.file.opened() as stream:
        anything = False
        for item in _items(part, stream):
            anything = True
            yield item
        if not anything and part.begins_file and part.length == TO_THE_END:
            yield Rejected(part.file.name, EMPTY_FILE)


# Cutting


def _cut_by_bytes(whole: FilePart, part_bytes: int) -> Iterator[FilePart]:
    size = whole.file.size_bytes
    for start in range(0, max(size, 1), part_bytes):
        length = part_bytes if start + part_bytes < size else TO_THE_END
        yield replace(whole, seek=start, length=length, rows_before=UNKNOWN)


def _beginning(file: StoredFile, stream: BinaryIO) -> bytes:
    """The first bytes of a file as it was before it was packed; the stream stands at its beginning again."""
    first = b""
    for _, chunk in unpacked(file, stream):
        first += chunk
        if len(first) >= LONGEST_MARK_BYTES:
            break
    stream.seek(0)
    return first


def _cut_at_lines(whole: FilePart, stream: BinaryIO, part_bytes: int) -> Iterator[FilePart]:
    """Cut after the first line feed ``part_bytes`` or more behind the last cut, but not where blank lines end."""
    part = whole
    wanted = part_bytes
    # Reading from ``seek`` in the file gives the bytes from ``origin`` on; ``start`` is that of the part.
    seek = origin = start = position = lines = 0
    for entry, chunk in unpacked(whole.file, stream):
        if entry != seek:
            seek, origin = entry, position
        if start == position:
            part = replace(whole, seek=seek, skip=start - origin, rows_before=lines)
            wanted = max(part_bytes, -(-part.skip // LONGEST_SKIP_PARTS))
        counted = 0
        while (found := chunk.find(b"\n", max(counted, start + wanted - 1 - position))) >= 0:
            lines += chunk.count(b"\n", counted, found + 1)
            is_blank = not chunk[counted : found + 1].strip(BLANK)
            counted = found + 1
            if is_blank:
                continue
            yield replace(part, length=position + counted - start)
            start = position + counted
            part = replace(whole, seek=seek, skip=start - origin, rows_before=lines)
            wanted = max(part_bytes, -(-part.skip // LONGEST_SKIP_PARTS))
        lines += chunk.count(b"\n", counted)
        position += len(chunk)
    if start < position or start == 0:
        yield part


def _cut_at_pieces(whole: FilePart, stream: BinaryIO, part_bytes: int) -> Iterator[FilePart]:
    """Cut before the first piece of text that begins with a paragraph ``part_bytes`` or more behind the last cut."""
    if stream.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        stream.seek(0)
    first = stream.tell()
    lines = byte_lines((chunk for _, chunk in unpacked(whole.file, stream)), first)
    part = whole
    for pieces_before, (position, _) in enumerate(pieces(_text_lines(lines))):
        # Blank lines before the first piece are no part of their own.
        if pieces_before and position != INSIDE_A_PARAGRAPH and position - part.seek >= part_bytes:
            yield replace(part, length=position - part.seek)
            part = replace(whole, seek=position, rows_before=pieces_before)
    yield part


# Reading


def _items(part: FilePart, stream: BinaryIO) -> Iterator[Document | Rejected]:
    name = part.file.name.lower()
    if part.file.size_bytes == 0:
        return iter(())
    if name.endswith(".parquet"):
        end = part.seek + part.length
        return parquet_items(part.file, stream, text_key=part.text_key, start=part.seek, end=end)
    lines = _lines(part, stream)
    return _text_items(part, lines) if _is_text(name) else _json_items(part, lines)


def _is_text(name: str) -> bool:
    return name.lower().endswith((".txt", ".md"))


def _lines(part: FilePart, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    if part.rows_before == UNKNOWN:
        return _lines_that_begin_in(part, stream)
    stream.seek(part.seek)
    chunks = _stretch((chunk for _, chunk in unpacked(part.file, stream)), part.skip, part.length)
    return byte_lines(as_utf8(part.file, chunks) if part.begins_file else chunks)


def _lines_that_begin_in(part: FilePart, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    # From the byte before on: a line feed there says that a line begins with the part.
    start = max(0, part.seek - 1)
    stream.seek(start)
    lines = byte_lines((chunk for _, chunk in unpacked(part.file, stream)), start)
    if part.begins_file:
        position, line = next(lines)
        lines = itertools.chain([(position, line.removeprefix(codecs.BOM_UTF8))], lines)
    else:
        next(lines)
    return itertools.takewhile(lambda numbered: numbered[0] < part.seek + part.length, lines)


def _stretch(chunks: Iterable[bytes], skip: int, length: int) -> Iterator[bytes]:
    for chunk in chunks:
        if skip >= len(chunk):
            skip -= len(chunk)
            continue
        kept = chunk[skip : skip + length]
        skip, length = 0, length - len(kept)
        yield kept
        if length == 0:
            return


def _text_items(part: FilePart, lines: Iterable[tuple[int, bytes]]) -> Iterator[Document | Rejected]:
    for number, (_, piece) in enumerate(pieces(_text_lines(lines)), start=part.rows_before + 1):
        yield from_piece(piece, name=part.file.name, number=number)


def _text_lines(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, str]]:
    for position, line in lines:
        text = line.decode(errors="surrogateescape").removesuffix("\n") if line else TOO_LONG_MARK
        yield position, text.removesuffix("\r").replace("\r", "\n") if "\r" in text else text


def _json_items(part: FilePart, lines: Iterable[tuple[int, bytes]]) -> Iterator[Document | Rejected]:
    name, text_key = part.file.name, part.text_key
    is_first = part.begins_file
    for number, (position, line) in enumerate(lines, start=part.rows_before + 1):
        if line.isspace():
            continue
        if part.rows_before == UNKNOWN:
            number = position
        try:
            row = parsed(line)
        except BadRow as error:
            if is_first and line.lstrip().startswith(b"["):
                raise BadInput(
                    f"{part.file.location} is one JSON array and no JSON lines; write each of its objects on a "
                    "line of its own"
                ) from error
            yield Rejected(f"{name}#{number}", str(error))
            continue
        if is_first:
            check_first_row(f"{part.file.location}, line {number}", row, text_key)
            is_first = False
        yield from_row(row, name=name, number=number, text_key=text_key)
