"""The C++ encoder ``encoder.cpp`` behind a Python call."""

import ctypes
import os
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smidgen.errors import OutOfResources
from smidgen.native.library import Unavailable, load_library
from smidgen.tokenization.byte_symbols import byte_symbols
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.native.characters import character_classes

SOURCE = Path(__file__).with_name("encoder.cpp")
# Ids and ranks take 16 bits; one rank stands for none.
LARGEST_VOCAB_SIZE = 65_536
_PADDING = bytes(64)
_Pointer, _Size = ctypes.c_void_p, ctypes.c_size_t


class NativeEncoder:
    """Encodes texts by a definition, on ``threads`` threads (one for each core that this process may use).

    ``options`` go to the compiler.
    Raises ``smidgen.native.library.Unavailable`` where the C++ cannot be compiled or the vocabulary is too large.
    """

    def __init__(
        self, definition: Definition, *, cache: Path, threads: int | None = None, options: Sequence[str] = ()
    ) -> None:
        if max(len(definition.tokens), len(definition.merges) + 2) > LARGEST_VOCAB_SIZE:
            raise Unavailable(f"a vocabulary of {len(definition.tokens):,} is too large for it")
        self._library = _library(cache, options)
        self._threads = threads or _cores()
        id_of = {token: token_id for token_id, token in enumerate(definition.tokens)}
        pairs = [(id_of[left], id_of[right], id_of[left + right]) for left, right in definition.merges]
        pairs_M3 = np.array(pairs, dtype=np.uint16).reshape(-1, 3)
        byte_ids = np.array([id_of[symbol] for symbol in byte_symbols()], dtype=np.uint16)
        merged, made = np.ascontiguousarray(pairs_M3[:, :2]), np.ascontiguousarray(pairs_M3[:, 2])
        splits, rules = definition.splits, definition.rules
        flags = (
            *(splits.digits, splits.operators, splits.whitespace, splits.closing),
            *(rules.reverse_digits, rules.map_case, rules.close_numbers),
        )
        self._encoder = self._library.encoder_new(
            character_classes(cache),
            sum(flag << bit for bit, flag in enumerate(flags)),
            byte_ids.ctypes.data,
            merged.ctypes.data,
            made.ctypes.data,
            len(pairs),
        )
        if not self._encoder:
            raise Unavailable("there is too little memory")
        weakref.finalize(self, self._library.encoder_free, self._encoder)

    def encode(self, texts: Sequence[bytes]) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int64]]:
        """The ids of texts in UTF-8, one after the other, and how many each has."""
        ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
        counts = np.zeros(len(texts), dtype=np.int64)
        joined = b"".join([*texts, _PADDING])
        # Only what is written to takes memory.
        ids = np.empty(self._library.encoder_room(self._encoder, len(joined)), dtype=np.uint16)
        found = self._library.encoder_encode(
            self._encoder, joined, ends.ctypes.data, len(texts), self._threads, ids.ctypes.data, counts.ctypes.data
        )
        if found < 0:
            raise OutOfResources("encoding ran out of memory; encode less text at once")
        return ids[:found].copy(), counts

    def words(self, text: bytes) -> npt.NDArray[np.int64]:
        """The bytes of each pre-token of a text in UTF-8 on which no text rule is used."""
        ends = np.empty(len(text), dtype=np.int64)
        count = self._library.encoder_words(self._encoder, text + _PADDING, len(text), ends.ctypes.data)
        return np.diff(ends[:count], prepend=0)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _library(cache: Path, options: Sequence[str]) -> ctypes.CDLL:
    library = load_library(SOURCE, cache, options=options)
    library.encoder_new.restype = _Pointer
    library.encoder_new.argtypes = (ctypes.c_char_p, ctypes.c_uint, _Pointer, _Pointer, _Pointer, _Size)
    library.encoder_free.restype = None
    library.encoder_free.argtypes = (_Pointer,)
    library.encoder_words.restype = _Size
    library.encoder_words.argtypes = (_Pointer, ctypes.c_char_p, _Size, _Pointer)
    library.encoder_room.restype = _Size
    library.encoder_room.argtypes = (_Pointer, _Size)
    library.encoder_encode.restype = ctypes.c_int64
    library.encoder_encode.argtypes = (
        _Pointer, ctypes.c_char_p, _Pointer, _Size, ctypes.c_uint, _Pointer, _Pointer,
    )  # fmt: skip
    return library
