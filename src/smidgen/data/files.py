"""Local files as documents: text, Markdown, JSON lines (plain, zstd, gzip) and parquet.

What is wrong with a whole file stops the reading with one sentence; what is wrong with one row is counted by
reason, so that rows read = documents + rejected, exactly. Blank lines of JSON lines are no rows.
"""

import codecs
import difflib
import glob
import gzip
import hashlib
import itertools
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from smidgen.data.document import Document
from smidgen.errors import BadInput

SMALLEST_PIECE_CHARACTERS = 4_000
LARGEST_PIECE_CHARACTERS = 8_000

# At most 128 KB come out of 4 packed bytes (a zstd block of one repeated byte), so this bounds a hostile file's
# burst to 256 MB. Measured: reads of 64 KB are a tenth faster.
PACKED_READ_BYTES = 8_192
READ_BYTES = 1_048_576
# What `zstd --long=31` needs; the default of the library refuses files packed with more than --long=27.
LARGEST_ZSTD_WINDOW_BYTES = 2**31
PARQUET_BATCH_ROWS = 256

# UTF-32 first: its mark begins with that of UTF-16.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# A row and where it stands: the line of JSON lines, the row of parquet, from 1.
NumberedRow = tuple[int, Any]


def read_documents(paths: Sequence[str], *, text_key: str, rejected: Counter[str]) -> Iterator[Document]:
    """Yield the documents of files, folders and glob patterns, in the order given, each sorted by name.

    ``text_key`` is the key or column that holds the text of a row. Rows that cannot be used are counted in
    ``rejected``: "empty text", "not a string", "missing key", "not an object", "NUL character", "lone surrogate".
    Ids are "name:id" where a row has an id of its own (a string or whole number, new in its file), else
    "name#line"; pieces of a text are "name#1", "name#2" ... A name is relative to the folder or pattern given.
    Raises ``BadInput`` at once for paths without a readable file, and on reading for a file that is empty,
    damaged, not UTF-8 (or UTF-16/32 with a byte order mark), cut off, or without the key in its first row.
    """
    return _all_documents(matching_files(paths), text_key, rejected)


# Finding files


def matching_files(paths: Sequence[str]) -> list[tuple[str, Path]]:
    """The files that ``paths`` mean, each once, as (name below the folder or pattern, path).

    Folders and patterns are searched to any depth, hidden files and unknown endings left out.
    Raises ``BadInput`` for a path that means no file and for a file of an unknown ending.
    """
    found: dict[Path, tuple[str, Path]] = {}
    for path in paths:
        for name, file in _matches(os.path.expanduser(path)):
            found.setdefault(file.resolve(), (name, file))
    if not found:
        raise BadInput(f"no file was named; give a file, folder or pattern with one of {_known_endings()}")
    return list(found.values())


def _matches(path: str) -> list[tuple[str, Path]]:
    if os.path.isdir(path):
        return _files_below(Path(path))
    if os.path.isfile(path):
        if _reader_of(path) is None:
            raise BadInput(f"{path} has an unknown ending; known are {_known_endings()}")
        return [(Path(path).name, Path(path))]
    if _is_pattern(path):
        return _files_matching(path)
    what = "is neither a file nor a folder" if os.path.lexists(path) else "does not exist"
    raise BadInput(f"{path} {what}; give a file, folder or pattern with one of {_known_endings()}")


def _files_below(folder: Path) -> list[tuple[str, Path]]:
    paths = [
        Path(parent, file)
        for parent, folders, files in os.walk(folder)
        if _keep_visible(folders)
        for file in files
        if not file.startswith(".")
    ]
    return _named(paths, folder, f"the folder {folder} holds no file")


def _keep_visible(folders: list[str]) -> bool:
    folders[:] = [folder for folder in folders if not folder.startswith(".")]
    return True


def _files_matching(pattern: str) -> list[tuple[str, Path]]:
    parts = Path(pattern).parts
    fixed = Path(*itertools.takewhile(lambda part: not _is_pattern(part), parts))
    paths = [Path(match) for match in glob.glob(pattern, recursive=True) if os.path.isfile(match)]
    return _named(paths, fixed, f"the pattern {pattern} matches no file")


def _named(paths: Iterable[Path], folder: Path, complaint: str) -> list[tuple[str, Path]]:
    known = [(path.relative_to(folder).as_posix(), path) for path in paths if _reader_of(path.name)]
    if not known:
        raise BadInput(f"{complaint} of a known ending; known are {_known_endings()}")
    return sorted(known)


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[")


# From a file to documents


@dataclass(frozen=True)
class _File:
    """An open file. It is opened and closed in one place, whichever of the steps below fails."""

    path: Path
    name: str
    stream: BinaryIO

    @property
    def emptiness(self) -> BadInput:
        return BadInput(f"{self.path} is empty; it must hold some text")


Reader = Callable[[_File, str, Counter[str]], Iterator[Document]]


def _all_documents(files: Iterable[tuple[str, Path]], text_key: str, rejected: Counter[str]) -> Iterator[Document]:
    for name, path in files:
        read = _reader_of(path.name)
        assert read is not None, "matching_files lets only known endings through"
        try:
            with path.open("rb") as stream:
                file = _File(path, name, stream)
                if path.stat().st_size == 0:
                    raise file.emptiness
                yield from read(file, text_key, rejected)
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error


def _text_documents(file: _File, text_key: str, rejected: Counter[str]) -> Iterator[Document]:
    number = 0
    for number, piece in enumerate(pieces(_text_lines(file)), start=1):
        yield Document(id=f"{file.name}#{number}", text=piece)
    if number == 0:
        raise file.emptiness


def _json_documents(file: _File, text_key: str, rejected: Counter[str]) -> Iterator[Document]:
    rows = _json_rows(file)
    first = next(rows, None)
    if first is None:
        raise file.emptiness
    _check_first_row(file.path, first, text_key)
    yield from _row_documents(itertools.chain([first], rows), file.name, text_key, rejected)


def _parquet_documents(file: _File, text_key: str, rejected: Counter[str]) -> Iterator[Document]:
    yield from _row_documents(_parquet_rows(file, text_key), file.name, text_key, rejected)


READERS: dict[str, Reader] = {
    ".txt": _text_documents,
    ".md": _text_documents,
    ".jsonl": _json_documents,
    ".jsonl.zst": _json_documents,
    ".jsonl.gz": _json_documents,
    ".parquet": _parquet_documents,
}


def _reader_of(name: str) -> Reader | None:
    return next((reader for ending, reader in READERS.items() if name.lower().endswith(ending)), None)


def _known_endings() -> str:
    return ", ".join(READERS)


# From rows to documents


def _row_documents(
    rows: Iterable[NumberedRow], name: str, text_key: str, rejected: Counter[str]
) -> Iterator[Document]:
    seen_ids: set[bytes] = set()
    for number, row in rows:
        reason = _reason_to_reject(row, text_key)
        if reason:
            rejected[reason] += 1
        else:
            yield Document(id=_row_id(row.get("id"), name, number, seen_ids), text=row[text_key])


def _reason_to_reject(row: Any, text_key: str) -> str:
    if not isinstance(row, dict):
        return "not an object"
    if text_key not in row:
        return "missing key"
    text = row[text_key]
    if not isinstance(text, str):
        return "not a string"
    if not text or text.isspace():
        return "empty text"
    if "\0" in text:
        return "NUL character"
    return "lone surrogate" if _has_lone_surrogate(text) else ""


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _row_id(own: Any, name: str, number: int, seen_ids: set[bytes]) -> str:
    """The row's own id, unless it repeats: rows that share an id would all fall on one side of the split."""
    if not isinstance(own, str | int) or isinstance(own, bool):
        return f"{name}#{number}"
    digest = hashlib.blake2b(str(own).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    if digest in seen_ids:
        return f"{name}#{number}"
    seen_ids.add(digest)
    return f"{name}:{own}"


def _check_first_row(path: Path, numbered: NumberedRow, text_key: str) -> None:
    number, row = numbered
    if not isinstance(row, dict):
        raise BadInput(
            f"{path}, line {number} holds a {type(row).__name__} instead of a JSON object; "
            f'every line must be an object such as {{"{text_key}": "some text"}}'
        )
    if text_key not in row:
        raise BadInput(_missing_key(f"{path}, line {number}", text_key, "key", list(row), _longest_text(row)))


def _missing_key(where: str, text_key: str, noun: str, keys: list[str], likely: str) -> str:
    if not keys:
        return f"{where} has no {noun} {text_key!r} and no other; the text must stand under a {noun} {text_key!r}"
    shown = ", ".join(repr(key) for key in keys[:12]) + (" ..." if len(keys) > 12 else "")
    nearest = difflib.get_close_matches(text_key, keys, n=1)
    best = nearest[0] if nearest else likely or keys[0]
    return (
        f'{where} has no {noun} {text_key!r}, only {shown}; set text = "{best}" for this source if that is the text'
    )


def _longest_text(row: dict[str, Any]) -> str:
    texts = {key: len(value) for key, value in row.items() if isinstance(value, str)}
    return max(texts, key=texts.__getitem__) if texts else ""


# JSON lines


def _json_rows(file: _File) -> Iterator[NumberedRow]:
    for number, line in _text_lines(file):
        if line and not line.isspace():
            yield number, _parsed(file.path, number, line)


def _parsed(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        problem = (
            f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else str(error)
        )
        raise BadInput(
            f"{path}, line {number} is not a complete JSON object ({problem}): it is cut off or damaged; "
            "write the file again or delete that line"
        ) from error


# Parquet


def _parquet_rows(file: _File, text_key: str) -> Iterator[NumberedRow]:
    import pyarrow as pa
    import pyarrow.parquet

    number = 0
    try:
        with pa.parquet.ParquetFile(file.stream, page_checksum_verification=True) as table:
            columns = _parquet_columns(file.path, table.schema_arrow, text_key)
            for batch in table.iter_batches(batch_size=PARQUET_BATCH_ROWS, columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        # Arrow's messages run over several lines and repeat the path.
        problem = str(error).split("\n")[0].rstrip(". ")
        raise BadInput(
            f"{file.path} is no readable parquet file (after row {number}: {problem}); write or download it again"
        ) from error
    if number == 0:
        raise file.emptiness


def _parquet_columns(path: Path, schema: Any, text_key: str) -> list[str]:
    import pyarrow as pa

    if text_key not in schema.names:
        texts = [
            field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        raise BadInput(_missing_key(str(path), text_key, "column", list(schema.names), (texts or [""])[0]))
    return [text_key, *(["id"] if "id" in schema.names and text_key != "id" else [])]


# Text


def pieces(lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Join the lines of a text to pieces of about 4,000 to 8,000 characters, cut between paragraphs.

    Only a paragraph of more than 8,000 characters is cut inside: after a line, a sentence or a word. The last
    piece, and one before a long paragraph, may be shorter. Blank lines between paragraphs become one.
    """
    piece = ""
    for part in itertools.chain.from_iterable(map(_parts, _paragraphs(lines))):
        if piece and len(piece) + 2 + len(part) > LARGEST_PIECE_CHARACTERS:
            yield piece
            piece = ""
        piece += "\n\n" + part if piece else part
        # Also keeps the parts of one long paragraph apart: all but its last have this length.
        if len(piece) >= SMALLEST_PIECE_CHARACTERS:
            yield piece
            piece = ""
    if piece:
        yield piece


def _paragraphs(lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    paragraph: list[str] = []
    for _, line in lines:
        if line and not line.isspace():
            paragraph.append(line.rstrip())
        elif paragraph:
            yield "\n".join(paragraph)
            paragraph = []
    if paragraph:
        yield "\n".join(paragraph)


def _parts(paragraph: str) -> Iterator[str]:
    start = 0
    while len(paragraph) - start > LARGEST_PIECE_CHARACTERS:
        end = _cut(paragraph, start + SMALLEST_PIECE_CHARACTERS, start + LARGEST_PIECE_CHARACTERS)
        yield paragraph[start:end]
        start = end
    yield paragraph[start:]


def _cut(paragraph: str, first: int, last: int) -> int:
    for boundary in ("\n", ". ", " "):
        found = paragraph.rfind(boundary, first, last)
        if found >= 0:
            return found + len(boundary)
    return last


# From bytes to lines


def _text_lines(file: _File) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers from 1, without their ends. Raises ``BadInput`` on bad bytes."""
    for number, line in enumerate(_byte_lines(_as_utf8(file.path, _chunks(file))), start=1):
        if b"\0" in line:
            raise BadInput(
                f"{file.path}, line {number} holds a NUL byte, so it is binary or UTF-16 without a byte order mark; "
                "save it as UTF-8"
            )
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise BadInput(
                f"{file.path}, line {number} is not UTF-8 at its byte {error.start + 1} ({line[error.start]:#x}); "
                "convert it, for example with: iconv -f latin1 -t utf-8"
            ) from error
        yield number, text.removesuffix("\r").replace("\r", "\n") if "\r" in text else text


def _byte_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # A line over many chunks is joined once: adding to it chunk by chunk would take time in its square.
    parts: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        parts.append(first)
        for other in others:
            yield b"".join(parts)
            parts = [other]
    last = b"".join(parts)
    if last:
        yield last


def _as_utf8(path: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text without a byte order mark, in UTF-8 if the mark says UTF-16 or UTF-32."""
    first = b""
    while len(first) < 4 and (chunk := next(chunks, b"")):
        first += chunk
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if first.startswith(mark)), "")
    if not encoding:
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from chunks
        return
    try:
        for text in codecs.iterdecode(itertools.chain([first], chunks), encoding):
            yield text.encode()
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path} begins with the byte order mark of {encoding.upper()} but is not {encoding.upper()} throughout "
            f"({error.reason}); save it as UTF-8"
        ) from error


def _chunks(file: _File) -> Iterator[bytes]:
    """The unpacked bytes of a file, never an empty chunk. Raises ``BadInput`` when the packing is damaged."""
    name = file.path.name.lower()
    try:
        if name.endswith(".zst"):
            yield from filter(None, _unzstd(file.stream))
        elif name.endswith(".gz"):
            with gzip.open(file.stream) as unpacked:
                yield from iter(lambda: unpacked.read(READ_BYTES), b"")
        else:
            yield from iter(lambda: file.stream.read(READ_BYTES), b"")
    except (zstandard.ZstdError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise BadInput(
            f"{file.path} is cut off or damaged near byte {file.stream.tell()} of {file.path.stat().st_size} "
            f"({error}); copy or download it again"
        ) from error


def _unzstd(stream: BinaryIO) -> Iterator[bytes]:
    # Not stream_reader: it ends a truncated file without a word (zstandard 0.25) and stops after the first frame.
    decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_ZSTD_WINDOW_BYTES)
    frame = None
    while packed := stream.read(PACKED_READ_BYTES):
        while packed:
            frame = frame or decompressor.decompressobj()
            yield frame.decompress(packed)
            packed, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError("the last zstd frame is not complete")
