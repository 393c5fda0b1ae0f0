"""A ``tokenizer.json`` of others, run by the ``tokenizers`` library: no code of theirs is needed or read."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from tokenizers import Tokenizer as LibraryEncoder

from smidgen.errors import BadInput
from smidgen.tokenization.byte_symbols import byte_symbols, bytes_of
from smidgen.tokenization.segments import require_utf8
from smidgen.tokenization.shown_text import shown

TOKENIZER_NAME = "tokenizer.json"
# Encoded at once; as for our own, memory grows with it.
_BATCH_CHARACTERS = 500_000
# What SentencePiece writes for a blank, and for a byte that has no other token.
_BLANK = "\u2581"
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class LibraryTokenizer:
    """Texts get the ids that the library gives them, without control tokens around them; text that spells a control
    token is text, as with ours.

    ``vocab_size`` is one more than the largest id. ``notes`` say what cannot be known of such a tokenizer.
    """

    def __init__(self, encoder: LibraryEncoder, definition: dict[str, Any]) -> None:
        self._encoder = encoder
        encoder.no_truncation()
        encoder.no_padding()
        encoder.encode_special_tokens = True
        added = encoder.get_added_tokens_decoder()
        self.special_ids = {token.content: token_id for token_id, token in added.items() if token.special}
        vocabulary = encoder.get_vocab(with_added_tokens=True)
        if not vocabulary:
            raise BadInput("the tokenizer has no token; train it or give another")
        self.vocab_size = 1 + max(vocabulary.values())
        self._model = definition["model"]
        self._contents = dict.fromkeys(range(self.vocab_size), b"")
        is_byte_level = "ByteLevel" in _types(definition.get("pre_tokenizer"), definition.get("decoder"))
        for token, token_id in vocabulary.items():
            is_added = token_id in added
            self._contents[token_id] = token.encode() if is_added else self._bytes(token, is_byte_level)
        self.notes = tuple(self._notes(is_byte_level, len(vocabulary), definition))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read a file, or the one in a folder. Raises ``BadInput`` when it is missing or cannot be used."""
        file = path / TOKENIZER_NAME if path.is_dir() else path
        try:
            definition = json.loads(file.read_text(encoding="utf-8"))
            encoder = LibraryEncoder.from_file(str(file))
            return cls(encoder, definition)
        except OSError as error:
            raise BadInput(f"{file} cannot be read: {error.strerror}") from error
        except BadInput:
            raise
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            # The library raises plain exceptions, and on some damage panics, which are no Exception.
            raise BadInput(
                f"{file} is no tokenizer that the tokenizers library can read: {_sentence(error)}"
            ) from error

    def encode_stream(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """The ids of each text as they come. Raises ``BadInput`` for a lone surrogate."""
        group: list[str] = []
        characters = 0
        for text in texts:
            require_utf8(text)
            group.append(text)
            characters += len(text)
            if characters > _BATCH_CHARACTERS:
                yield from self._encoded(group)
                group, characters = [], 0
        yield from self._encoded(group)

    def decode(self, token_ids: Iterable[int], *, skip_special: bool = True) -> str:
        return self._encoder.decode(list(token_ids), skip_special_tokens=skip_special)

    def content(self, token_id: int) -> tuple[bytes, bool]:
        """A token's bytes, and whether it is a control token; no bytes for an id without a token."""
        return self._contents[token_id], token_id in self.special_ids.values()

    def pieces(self, token_ids: Iterable[int]) -> list[str]:
        """What each token stands for, to be shown."""
        return [shown(self.content(token_id)[0]) for token_id in token_ids]

    def _encoded(self, group: list[str]) -> Iterator[list[int]]:
        return (encoding.ids for encoding in self._encoder.encode_batch_fast(group, add_special_tokens=False))

    def _bytes(self, token: str, is_byte_level: bool) -> bytes:
        if is_byte_level and set(token) <= _SYMBOLS:
            return _bytes_of(token)
        byte = _BYTE.fullmatch(token)
        if byte:
            return bytes([int(byte[1], 16)])
        prefix = self._model.get("continuing_subword_prefix") or ""
        return token.removeprefix(prefix).replace(_BLANK, " ").encode("utf-8", "surrogatepass")

    def _notes(self, is_byte_level: bool, tokens: int, definition: dict[str, Any]) -> Iterator[str]:
        if tokens < self.vocab_size:
            yield f"{self.vocab_size - tokens:,} of its ids have no token; they count as unused"
        if definition.get("normalizer"):
            yield "it rewrites text before cutting it (a normalizer), so what its tokens cover need not be the text"
        if not is_byte_level:
            yield (
                f"it is no byte-level tokenizer ({self._model.get('type', 'unknown')}): the bytes of its tokens are "
                "read from their spelling"
            )


_SYMBOLS = frozenset(byte_symbols())
_bytes_of = bytes_of()


def _types(*parts: Any) -> set[str]:
    """The types of parts of a pipeline, at any depth."""
    found: set[str] = set()
    waiting = list(parts)
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            found.add(str(part.get("type")))
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
