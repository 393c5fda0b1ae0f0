"""Shards: the tokens of one side of one source in one file, mapped into memory for reading.

Layout, little-endian::

    256 bytes  header: magic, version, bytes per token, vocab_size, counts, tokenizer fingerprint,
               SHA-256 of all that follows, zeros, SHA-256 of the header before it
    tokens     uint16, or uint32 when vocab_size > 65,535; each document ends with the end-of-text token
    zeros      up to a multiple of 8 bytes
    documents  uint64 pairs: position of the document's first token, bytes of its text in UTF-8
"""

import hashlib
import os
import struct
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from smidgen.errors import BadInput
from smidgen.records.atomic import TEMPORARY_PREFIX, disk_errors, flush_to_disk

MAGIC = b"SMIDGEN1"
VERSION = 1
HEADER = struct.Struct("<8sIIQQQQ32s32s80x")
DIGEST_BYTES = 32
HEADER_BYTES = HEADER.size + DIGEST_BYTES
ALIGNMENT_BYTES = 8
DOCUMENT_BYTES = 16
TOKEN_TYPES: dict[int, np.dtype[np.unsignedinteger]] = {2: np.dtype("<u2"), 4: np.dtype("<u4")}
LARGEST_SHORT_VOCAB_SIZE = 65_535
# Tokens go to the file in writes of this many bytes.
BUFFER_BYTES = 1_048_576
LARGEST_TABLE_IN_MEMORY = 16_777_216


def bytes_per_token(vocab_size: int) -> int:
    return 2 if vocab_size <= LARGEST_SHORT_VOCAB_SIZE else 4


def _padding_bytes(token_bytes: int) -> int:
    return -token_bytes % ALIGNMENT_BYTES


class ShardWriter:
    """Writes a shard document by document; the file appears under its name when the ``with`` block ends well.

    ``tokenizer_fingerprint`` is a SHA-256 in hex. Raises ``OutOfResources`` when the disk is full.
    """

    def __init__(self, path: Path, *, vocab_size: int, end_of_text_id: int, tokenizer_fingerprint: str) -> None:
        if not 0 <= end_of_text_id < vocab_size:
            raise BadInput(f"the end-of-text id {end_of_text_id} must lie in the vocabulary of {vocab_size} tokens")
        self.path = path
        # What messages name: the folder above may be the temporary one of an unfinished build.
        self._shown = Path(path.parent.name, path.name)
        self.vocab_size = vocab_size
        self.end_of_text_id = end_of_text_id
        self.tokens = 0
        self.text_bytes = 0
        self.content_sha256 = ""
        self._fingerprint = _fingerprint_bytes(tokenizer_fingerprint)
        self.documents = 0
        self._digest = hashlib.sha256()

    def __enter__(self) -> "ShardWriter":
        with disk_errors(self._shown):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=f"{TEMPORARY_PREFIX}{self.path.name}-", dir=self.path.parent)
        self._unfinished = Path(name)
        self._file = os.fdopen(descriptor, "wb", buffering=BUFFER_BYTES)
        self._file.write(bytes(HEADER_BYTES))
        # The table comes after the tokens; that of a large source waits for its place on the disk.
        self._table = tempfile.SpooledTemporaryFile(max_size=LARGEST_TABLE_IN_MEMORY, dir=str(self.path.parent))
        return self

    def add(self, ids: npt.ArrayLike, text_bytes: int) -> None:
        """Append a document and the end-of-text token.

        Raises ``BadInput`` for an id outside the vocabulary; nothing of that document is written then.
        """
        document = np.asarray(ids).reshape(-1)
        self.add_all(document, np.array([len(document)]), np.array([text_bytes]))

    def add_all(
        self, ids: npt.NDArray[np.integer], counts: npt.NDArray[np.integer], text_bytes: npt.NDArray[np.integer]
    ) -> None:
        """Append documents whose ids stand in a row, each with the end-of-text token; they have ``counts`` ids.

        Raises ``BadInput`` as ``add`` does; nothing of any of them is written then.
        """
        ends = np.cumsum(counts)
        self._check(ids, ends)
        starts = self.tokens + ends - counts + np.arange(len(counts))
        with disk_errors(self._shown):
            self._table.write(np.stack([starts, text_bytes], axis=1).astype("<u8").tobytes())
        self.documents += len(counts)
        self.tokens += len(ids) + len(counts)
        self.text_bytes += int(text_bytes.sum())
        narrow = ids.astype(TOKEN_TYPES[bytes_per_token(self.vocab_size)], copy=False)
        self._write(np.insert(narrow, ends, self.end_of_text_id).tobytes())

    def _check(self, ids: npt.NDArray[np.integer], ends: npt.NDArray[np.integer]) -> None:
        if not len(ids) or (ids.min() >= 0 and ids.max() < self.vocab_size):
            return
        position = int(np.argmax((ids < 0) | (ids >= self.vocab_size)))
        document = self.documents + 1 + int(np.searchsorted(ends, position, side="right"))
        raise BadInput(
            f"token id {ids[position]} in document {document} of {self._shown} is outside the vocabulary of "
            f"{self.vocab_size} tokens; the tokenizer and its vocab_size do not belong together"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with disk_errors(self._shown):
                    self._finish()
        finally:
            with suppress(OSError):  # a full disk was reported already
                self._file.close()
            with suppress(OSError):
                self._table.close()
            self._unfinished.unlink(missing_ok=True)

    def _finish(self) -> None:
        self._write(bytes(_padding_bytes(self.tokens * bytes_per_token(self.vocab_size))))
        self._table.seek(0)
        while content := self._table.read(BUFFER_BYTES):
            self._write(content)
        self.content_sha256 = self._digest.hexdigest()
        self._file.seek(0)
        self._file.write(self._header())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._unfinished.chmod(0o644)
        self._unfinished.replace(self.path)
        flush_to_disk(self.path.parent)

    def _write(self, content: bytes) -> None:
        self._digest.update(content)
        with disk_errors(self._shown):
            self._file.write(content)

    def _header(self) -> bytes:
        header = HEADER.pack(
            MAGIC,
            VERSION,
            bytes_per_token(self.vocab_size),
            self.vocab_size,
            self.tokens,
            self.documents,
            self.text_bytes,
            self._fingerprint,
            self._digest.digest(),
        )
        return header + hashlib.sha256(header).digest()


@dataclass(frozen=True, kw_only=True)
class Shard:
    """An open shard: arrays that read from the file as they are used."""

    path: Path
    vocab_size: int
    tokens: npt.NDArray[np.unsignedinteger]
    document_offsets: npt.NDArray[np.uint64]
    document_bytes: npt.NDArray[np.uint64]
    text_bytes: int
    tokenizer_fingerprint: str
    content_sha256: str

    def document(self, number: int) -> npt.NDArray[np.unsignedinteger]:
        """The tokens of a document, from 0, without the end-of-text token."""
        last = number + 1 == len(self.document_offsets)
        end = len(self.tokens) if last else int(self.document_offsets[number + 1])
        return self.tokens[int(self.document_offsets[number]) : end - 1]


@dataclass(frozen=True, kw_only=True)
class _Header:
    version: int
    bytes_per_token: int
    vocab_size: int
    tokens: int
    documents: int
    text_bytes: int
    tokenizer_fingerprint: str
    content_sha256: str

    @property
    def token_bytes(self) -> int:
        return self.tokens * self.bytes_per_token

    @property
    def table_start(self) -> int:
        return HEADER_BYTES + self.token_bytes + _padding_bytes(self.token_bytes)

    @property
    def file_bytes(self) -> int:
        return self.table_start + self.documents * DOCUMENT_BYTES


def open_shard(path: Path, *, tokenizer_fingerprint: str | None, verify: bool = True) -> Shard:
    """Open a shard after checking its header and length, and with ``verify`` every byte.

    Raises ``BadInput`` naming the file when it is missing, damaged, of another version, or made with a tokenizer
    other than ``tokenizer_fingerprint`` (None accepts any).
    """
    try:
        length = path.stat().st_size
        with path.open("rb") as file:
            header = _read_header(path, file.read(HEADER_BYTES), length)
        if tokenizer_fingerprint not in (None, header.tokenizer_fingerprint):
            raise BadInput(
                f"{path} was made with the tokenizer {header.tokenizer_fingerprint[:12]}, and this one is "
                f"{str(tokenizer_fingerprint)[:12]}; build the data again with this tokenizer"
            )
        shard = _mapped(path, header)
        if verify:
            _verify(shard, header)
        return shard
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}; build the data again") from error


def _read_header(path: Path, content: bytes, length: int) -> _Header:
    if len(content) < HEADER_BYTES or not content.startswith(MAGIC):
        raise _damaged(path, "it does not begin with the header of a shard")
    if hashlib.sha256(content[: HEADER.size]).digest() != content[HEADER.size :]:
        raise _damaged(path, "its header has changed")
    _, version, width, vocab_size, tokens, documents, text_bytes, fingerprint, digest = HEADER.unpack_from(content)
    if version != VERSION:
        raise BadInput(
            f"{path} is a shard of version {version} and this program reads {VERSION}; build the data again"
        )
    header = _Header(
        version=version,
        bytes_per_token=width,
        vocab_size=vocab_size,
        tokens=tokens,
        documents=documents,
        text_bytes=text_bytes,
        tokenizer_fingerprint=fingerprint.hex(),
        content_sha256=digest.hex(),
    )
    if width != bytes_per_token(vocab_size):
        raise _damaged(path, f"{width} bytes per token do not fit a vocabulary of {vocab_size}")
    if length != header.file_bytes:
        raise _damaged(path, f"it has {length} bytes instead of {header.file_bytes}")
    return header


def _mapped(path: Path, header: _Header) -> Shard:
    content = np.memmap(path, dtype=np.uint8, mode="r")
    tokens = content[HEADER_BYTES : HEADER_BYTES + header.token_bytes].view(TOKEN_TYPES[header.bytes_per_token])
    table = content[header.table_start :].view("<u8").reshape(header.documents, 2)
    return Shard(
        path=path,
        vocab_size=header.vocab_size,
        tokens=tokens,
        document_offsets=table[:, 0],
        document_bytes=table[:, 1],
        text_bytes=header.text_bytes,
        tokenizer_fingerprint=header.tokenizer_fingerprint,
        content_sha256=header.content_sha256,
    )


def _verify(shard: Shard, header: _Header) -> None:
    with shard.path.open("rb") as file:
        file.seek(HEADER_BYTES)
        if hashlib.file_digest(file, "sha256").hexdigest() != header.content_sha256:
            raise _damaged(shard.path, "its content has changed")
    # What follows is about a file written by another program, whose hashes fit.
    ends = np.append(shard.document_offsets[1:], np.uint64(header.tokens))
    if header.documents == 0:
        consistent = header.tokens == 0
    else:
        consistent = int(shard.document_offsets[0]) == 0 and bool((ends > shard.document_offsets).all())
    if not consistent or int(shard.document_bytes.sum()) != header.text_bytes:
        raise _damaged(shard.path, "its table of documents does not fit its tokens")
    if header.tokens and int(shard.tokens.max()) >= header.vocab_size:
        raise _damaged(shard.path, f"it holds token ids outside its vocabulary of {header.vocab_size}")


def _damaged(path: Path, problem: str) -> BadInput:
    return BadInput(f"{path} is damaged or no shard: {problem}; build the data again or restore the file")


def _fingerprint_bytes(fingerprint: str) -> bytes:
    digest = bytes.fromhex(fingerprint)
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a tokenizer fingerprint is a SHA-256 of 64 hex digits, given {fingerprint!r}")
    return digest
