"""Texts to ids: by our own C++ where there is enough text for it and a compiler, else by the `tokenizers` library."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, chain, islice, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer as BytePairEncoder

from smidgen.batching import batched
from smidgen.native.library import Unavailable
from smidgen.native.location import default_cache
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.native.encoder import LARGEST_VOCAB_SIZE, NativeEncoder
from smidgen.tokenization.native.self_check import CHECKED_TEXTS, agree
from smidgen.tokenization.segments import require_utf8, segments

# Encoded at once. `tokenizers` takes about 50 bytes of memory a character: 50 MB at once took 2.6 GB.
BATCH_CHARACTERS = 500_000
# Opening the compiled encoder costs as much as the library needs for this (20 ms measured), compiling it 7 s once.
WORTHWHILE_CHARACTERS = 100_000


class EncodedTexts(NamedTuple):
    """The ids of all texts in a row, and for each text how many it has and its bytes in UTF-8."""

    ids: npt.NDArray[np.unsignedinteger]
    counts: npt.NDArray[np.int64]
    text_bytes: npt.NDArray[np.int64]


class TextEncoder:
    """Gives the ids of a definition, whichever way they come about.

    ``notice`` is empty, or one sentence once it has turned out that the compiled encoder cannot be used.
    """

    def __init__(self, definition: Definition, *, native: bool = True, threads: int | None = None) -> None:
        self._definition = definition
        self._threads = threads
        self._may_be_native = native
        self._seen_characters = 0
        self.notice = ""

    @cached_property
    def library(self) -> BytePairEncoder:
        """What the `tokenizers` library makes of the definition, without the text rules."""
        return self._definition.encoder()

    def lists(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """The ids of each text. Raises ``BadInput`` for a lone surrogate, as ``arrays`` does."""
        if not self._use_native(texts):
            return self._library_lists(texts)
        ids, counts, _ = self._native_arrays(texts)
        flat = ids.tolist()
        return (flat[start:end] for start, end in pairwise(accumulate(counts.tolist(), initial=0)))

    def arrays(self, texts: Sequence[str]) -> EncodedTexts:
        """The ids of all texts, without a Python object for each."""
        if not texts or not self._use_native(texts):
            return self._library_arrays(texts)
        return _joined([self._native_arrays(group) for group in groups(texts)])

    def _use_native(self, texts: Sequence[str]) -> bool:
        self._seen_characters += sum(map(len, texts))
        return self._seen_characters >= WORTHWHILE_CHARACTERS and self._native is not None

    @cached_property
    def _native(self) -> NativeEncoder | None:
        if not self._may_be_native:
            return None
        try:
            native = NativeEncoder(self._definition, cache=default_cache(), threads=self._threads)
        except Unavailable as error:
            self.notice = f"texts are encoded by the tokenizers library alone, about 50x slower: {error}"
            return None
        if not agree(native, self._definition, list(self._library_lists(CHECKED_TEXTS))):
            self.notice = "texts are encoded by the tokenizers library alone: our own encoder gives other ids here"
            return None
        return native

    def _native_arrays(self, texts: Sequence[str]) -> EncodedTexts:
        encoded = list(map(require_utf8, texts))
        text_bytes = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        assert self._native is not None
        return EncodedTexts(*self._native.encode(encoded), text_bytes)

    def _library_arrays(self, texts: Sequence[str]) -> EncodedTexts:
        dtype = np.uint16 if len(self._definition.tokens) <= LARGEST_VOCAB_SIZE else np.uint32
        each = [np.array(ids, dtype=dtype) for ids in self._library_lists(texts)]
        return EncodedTexts(
            np.concatenate([np.empty(0, dtype=dtype), *each]),
            np.array(list(map(len, each)), dtype=np.int64),
            np.array([len(text.encode()) for text in texts], dtype=np.int64),
        )

    def _library_lists(self, texts: Sequence[str]) -> Iterator[list[int]]:
        parts = [list(segments(self._definition.rules.apply(text))) for text in texts]
        token_ids = self._of_segments(chain.from_iterable(parts))
        for parts_of_text in parts:
            yield list(chain.from_iterable(islice(token_ids, len(parts_of_text))))

    def _of_segments(self, parts: Iterable[str]) -> Iterator[list[int]]:
        for group in groups(parts):
            for encoding in self.library.encode_batch_fast(group, add_special_tokens=False):
                yield encoding.ids


def groups(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in lists of about half a million characters."""
    return batched(texts, len, BATCH_CHARACTERS)


def _joined(parts: Sequence[EncodedTexts]) -> EncodedTexts:
    return parts[0] if len(parts) == 1 else EncodedTexts(*map(np.concatenate, zip(*parts, strict=True)))
