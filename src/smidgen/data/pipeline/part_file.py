"""Part files: the tokens of one part of a source, and a table with a row for each of its documents and rejected rows.

Layout, little-endian::

    64 bytes   header: magic, position and length of the footer, SHA-256 of all that follows
    tokens     of all documents that have some, without end-of-text tokens
    columns    one array after the other, each from a multiple of 8 bytes on
    footer     JSON: the names, types, shapes and positions of the arrays, the reasons, and the hits

A part file is never a result: it is made again when it is damaged, so it need not be flushed to the disk.
"""

import hashlib
import json
import os
import struct
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from smidgen.data.quality.contamination import Hits
from smidgen.records.atomic import TEMPORARY_PREFIX, disk_errors, make_directories

MAGIC = b"SMIDPRT1"
HEADER = struct.Struct("<8sQQ32s8x")
BUFFER_BYTES = 1_048_576
# What a row has, beside its name. The reason is 0 for a document, else a position in ``reasons`` from 1 on.
COLUMNS: dict[str, np.dtype] = {
    "reason": np.dtype("u1"),
    "counts": np.dtype("<u4"),
    "text_bytes": np.dtype("<u4"),
    "characters": np.dtype("<u4"),
    "id_hashes": np.dtype("<u8"),
    "place_hashes": np.dtype("<u8"),
    "digests": np.dtype("<u8"),
}
SIGNATURE_WORDS = 16


@dataclass(kw_only=True)
class Rows:
    """Some rows on their way into a part file: the columns, the name of each row (its id, or where it stands)."""

    names: list[str]
    columns: dict[str, npt.NDArray]
    signatures: npt.NDArray[np.uint64] | None = None
    hits: dict[int, Hits] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)


class PartWriter:
    """Writes a part file; it appears under its name when the ``with`` block ends well.

    Raises ``OutOfResources`` when the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()
        self._position = HEADER.size
        self._columns: dict[str, list[npt.NDArray]] = {}
        self._names: list[bytes] = []
        self._hits: list[tuple[int, Hits]] = []
        self._rows = 0
        self._tokens = 0
        self._token_type = np.dtype("<u2")
        self._reasons: list[str] = []

    def __enter__(self) -> "PartWriter":
        with disk_errors(self.path):
            make_directories(self.path.parent)
            descriptor, name = tempfile.mkstemp(prefix=f"{TEMPORARY_PREFIX}{self.path.name}-", dir=self.path.parent)
        self._unfinished = Path(name)
        self._file = os.fdopen(descriptor, "wb", buffering=BUFFER_BYTES)
        self._file.write(bytes(HEADER.size))
        return self

    def code_of(self, reason: str) -> int:
        """The number that stands for a reason in the column of that name."""
        if reason not in self._reasons:
            self._reasons.append(reason)
        return self._reasons.index(reason) + 1

    def add(self, rows: Rows, tokens: npt.NDArray[np.unsignedinteger]) -> None:
        """Append rows and the tokens of those that have some."""
        # Names of files, and so ids, may be no UTF-8.
        names = [name.encode("utf-8", "surrogatepass") for name in rows.names]
        self._names.append(b"".join(names))
        arrays = {**rows.columns, "name_lengths": np.fromiter(map(len, names), dtype="<u4", count=len(names))}
        if rows.signatures is not None:
            arrays["signatures"] = rows.signatures
        for name, array in arrays.items():
            self._columns.setdefault(name, []).append(array)
        self._hits += [(self._rows + row, hits) for row, hits in rows.hits.items()]
        self._rows += len(rows)
        self._token_type = tokens.dtype.newbyteorder("<")
        self._tokens += len(tokens)
        self._write(tokens.astype(self._token_type, copy=False).tobytes())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with disk_errors(self.path):
                    self._finish()
        finally:
            with suppress(OSError):  # a full disk was reported already
                self._file.close()
            self._unfinished.unlink(missing_ok=True)

    def _finish(self) -> None:
        arrays: dict[str, Any] = {"tokens": [self._token_type.str, [self._tokens], HEADER.size]}
        for name, array in self._arrays().items():
            self._write(bytes(-self._position % 8))
            arrays[name] = [array.dtype.str, list(array.shape), self._position]
            self._write(array.tobytes())
        footer = json.dumps({"arrays": arrays, "reasons": self._reasons, "hits": self._hits}).encode()
        start = self._position
        self._write(footer)
        self._file.seek(0)
        self._file.write(HEADER.pack(MAGIC, start, len(footer), self._digest.digest()))
        self._file.close()
        self._unfinished.replace(self.path)

    def _arrays(self) -> dict[str, npt.NDArray]:
        arrays = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        lengths = arrays.pop("name_lengths", np.empty(0, "<u4"))
        empty = {name: np.empty(0, dtype) for name, dtype in COLUMNS.items()}
        return {
            **empty,
            **arrays,
            "name_ends": np.cumsum(lengths, dtype="<u8"),
            "names": np.frombuffer(b"".join(self._names), dtype=np.uint8),
        }

    def _write(self, content: bytes) -> None:
        self._digest.update(content)
        self._position += len(content)
        with disk_errors(self.path):
            self._file.write(content)


@dataclass(frozen=True, kw_only=True)
class PartTable:
    """An open part file: columns by name, ``signatures`` if there are any, and arrays that read as they are used."""

    tokens: npt.NDArray[np.unsignedinteger]
    columns: dict[str, npt.NDArray]
    signatures: npt.NDArray[np.uint64] | None
    reasons: tuple[str, ...]
    hits: dict[int, Hits]
    token_ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.columns["reason"])

    def name(self, row: int) -> str:
        """The id of a document, or where a rejected row stands."""
        ends = self.columns["name_ends"]
        start = int(ends[row - 1]) if row else 0
        return self.columns["names"][start : int(ends[row])].tobytes().decode("utf-8", "surrogatepass")


def open_part_file(path: Path) -> PartTable | None:
    """Open a part file, whose every byte is compared with its hash; None when there is no whole one."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER.size)
            magic, start, length, digest = HEADER.unpack(header)
            if magic != MAGIC or hashlib.file_digest(file, "sha256").digest() != digest:
                return None
        content = np.memmap(path, dtype=np.uint8, mode="r")
        if start + length != len(content):
            return None
    except (OSError, ValueError, struct.error):
        return None
    footer = json.loads(content[start : start + length].tobytes())
    arrays = {name: _array(content, *described) for name, described in footer["arrays"].items()}
    tokens, signatures = arrays.pop("tokens"), arrays.pop("signatures", None)
    return PartTable(
        tokens=tokens,
        columns=arrays,
        signatures=signatures,
        reasons=tuple(footer["reasons"]),
        hits=dict(footer["hits"]),
        token_ends=np.cumsum(arrays["counts"], dtype=np.int64),
    )


def _array(content: npt.NDArray[np.uint8], dtype: str, shape: list[int], position: int) -> npt.NDArray:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return content[position : position + size].view(dtype).reshape(shape)
