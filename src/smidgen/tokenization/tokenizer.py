"""Text to token ids and back."""

import codecs
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Self

from smidgen.errors import BadInput
from smidgen.model.config import DigitTokenIds
from smidgen.tokenization import digit_tokens, folder
from smidgen.tokenization.byte_symbols import bytes_of
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.shown_text import shown
from smidgen.tokenization.text_encoder import EncodedTexts, TextEncoder, groups
from smidgen.tokenization.text_rules import StreamingInverse


class Tokenizer:
    """A byte-level BPE with the reversible text rules around it: ``decode(encode(text)) == text`` for every text.

    Control tokens never come out of text: a text that spells "<|endoftext|>" gets the ids of its characters.
    Much text is encoded by our own C++ where a compiler is there, unless ``native`` is false; the ids are the same.
    It uses ``threads`` threads, one for each core by default.
    """

    def __init__(self, definition: Definition, *, native: bool = True, threads: int | None = None) -> None:
        self.definition = definition
        self._native = native
        self._threads = threads
        self._encoder = TextEncoder(definition, native=native, threads=threads)
        special = definition.special_tokens.present
        ordinary = map(bytes_of(), definition.tokens[len(special) :])
        self._first_ordinary = len(special)
        self._bytes = [*(token.encode() for token in special), *ordinary]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read a folder that ``save`` wrote. Raises ``BadInput`` when it is missing, damaged or another's."""
        return cls(folder.read(path))

    def save(self, path: Path, *, context_length: int | None = None) -> None:
        """Write what ``open`` and transformers read; ``context_length`` becomes its ``model_max_length``."""
        folder.write(self.definition, path, context_length=context_length)

    def single_threaded(self) -> Self:
        """The same for one of several processes that share the cores."""
        return type(self)(self.definition, native=self._native, threads=1)

    def __reduce__(self) -> tuple[Callable[[Definition], Self], tuple[Definition]]:
        # The library's own pickling would forget that special tokens inside text are text.
        return partial(type(self), native=self._native, threads=self._threads), (self.definition,)

    @property
    def vocab_size(self) -> int:
        return len(self._bytes)

    @property
    def special_ids(self) -> dict[str, int]:
        """Ids of those of pad, bos, eos, unk and end_of_text that exist."""
        special_tokens = self.definition.special_tokens
        present = special_tokens.present
        return {name: present.index(token) for name, token in vars(special_tokens).items() if token}

    @property
    def end_of_text_id(self) -> int:
        return self.special_ids["end_of_text"]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides ids, independent of how files are laid out."""
        return self.definition.fingerprint

    @property
    def notice(self) -> str:
        """One sentence once much text had to be encoded without our C++, else empty."""
        return self._encoder.notice

    def encode(self, text: str) -> list[int]:
        """Raises ``BadInput`` for a text with a lone surrogate, which UTF-8 cannot hold."""
        return next(self.encode_stream([text]))

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, on all cores: several times faster than one text after the other."""
        return list(self.encode_stream(texts))

    def encode_stream(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """The ids of each text as they come, in little memory however many or long the texts are.

        Reads ahead by about half a million characters.
        """
        for group in groups(texts):
            yield from self._encoder.lists(group)

    def encode_arrays(self, texts: Sequence[str]) -> EncodedTexts:
        """The ids of all texts in one array: for data by the gigabyte, where lists would take most of the time."""
        return self._encoder.arrays(texts)

    def decode(self, token_ids: Iterable[int], *, skip_special: bool = True) -> str:
        """The text; bytes that are no UTF-8 become U+FFFD.

        A control token ends a text: nothing, a run of digits included, reaches across it, shown or skipped.
        Raises ``BadInput`` for an id outside the vocabulary.
        """
        texts = []
        for is_special, group in groupby(map(self.content, token_ids), key=itemgetter(1)):
            content = b"".join(content for content, _ in group)
            if not is_special:
                texts.append(self.definition.rules.invert(content.decode(errors="replace")))
            elif not skip_special:
                texts.append(content.decode())
        return "".join(texts)

    def pieces(self, token_ids: Iterable[int]) -> list[str]:
        """What each token stands for, to be shown: text rules stay applied, parts of a character appear as \\xNN,
        control characters as their pictures and the closing mark of a number as its digit with a sign.
        """
        closes_numbers = self.definition.rules.close_numbers
        return [shown(self.content(token_id)[0], closes_numbers=closes_numbers) for token_id in token_ids]

    def content(self, token_id: int) -> tuple[bytes, bool]:
        """A token's bytes before text rules are undone, and whether it is a control token.

        Raises ``BadInput`` for an id outside the vocabulary.
        """
        # A negative id would count from the end of the list.
        if not 0 <= token_id < self.vocab_size:
            raise BadInput(f"token id {token_id} is not in the vocabulary of {self.vocab_size}")
        return self._bytes[token_id], token_id < self._first_ordinary

    @staticmethod
    def text_bytes(text: str) -> int:
        """Length in UTF-8, by which losses are divided: under text rules a single token has no length of its own."""
        return len(text.encode())

    def digit_token_ids(self) -> DigitTokenIds | None:
        """What a model's digit features need; ``None`` when a symbol also appears inside longer tokens."""
        special = self.special_ids
        return digit_tokens.find(
            self._bytes,
            first_ordinary=self._first_ordinary,
            line_starting=[token_id for name, token_id in special.items() if name != "unk"],
            closes_numbers=self.definition.rules.close_numbers,
        )


class StreamingDecoder:
    """``Tokenizer.decode`` for tokens that arrive one by one: the parts given back join to the whole text.

    Held back is only what the next token may still change: an unfinished character, and with text rules a run of
    digits or a marker without its letter.
    """

    def __init__(self, tokenizer: Tokenizer, *, skip_special: bool = True) -> None:
        self._tokenizer = tokenizer
        self._skip_special = skip_special
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._inverse = StreamingInverse(tokenizer.definition.rules)

    def push(self, token_id: int) -> str:
        """The text that is certain now. Raises ``BadInput`` for an id outside the vocabulary."""
        content, is_special = self._tokenizer.content(token_id)
        if is_special:
            return self.flush() + ("" if self._skip_special else content.decode())
        return self._inverse.push(self._utf8.decode(content))

    def flush(self) -> str:
        """What was held back; the next ``push`` begins a new text."""
        text = self._inverse.push(self._utf8.decode(b"", final=True)) + self._inverse.flush()
        self._utf8.reset()
        return text
