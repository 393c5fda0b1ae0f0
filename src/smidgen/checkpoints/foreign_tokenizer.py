"""Tokenizers of transformers, with what scoring and generation use of ours."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from smidgen.checkpoints.transformers_library import reading
from smidgen.errors import BadInput


class ForeignTokenizer:
    """A text gets the ids that ``HFLM`` of lm-evaluation-harness 0.4.13 gives it (``HFLM.tok_encode``): with the BOS
    token in front where the tokenizer adds one by default, unless the text already spells it.

    ``special_ids`` are those of pad, bos, eos and unk that exist, and "end_of_text", which is EOS or else BOS.
    ``vocab_size`` is one more than the largest id. ``fingerprint`` is the SHA-256 of the definition (of the
    vocabulary alone for a tokenizer in Python, whose code it does not cover).
    """

    def __init__(self, tokenizer: Any, *, origin: str) -> None:
        """Raises ``BadInput`` for a tokenizer without BOS and EOS, or which adds more than BOS to a text."""
        self._tokenizer = tokenizer
        self.special_ids = _special_ids(tokenizer, origin)
        self.vocab_size = 1 + max(tokenizer.get_vocab().values())
        self.fingerprint = _fingerprint(tokenizer)
        prefix_id = self.special_ids.get("bos", self.end_of_text_id)
        self._prefix_text = tokenizer.decode([prefix_id])
        bare, whole = (self._ids(["x"], special)[0] for special in (False, True))
        if whole not in (bare, [prefix_id, *bare]):
            raise BadInput(
                f"{origin}: the tokenizer adds more to a text than BOS in front, which would be scored as if it were "
                "part of the text; add_eos_token=false in tokenizer_config.json turns an EOS at the end off"
            )

    @classmethod
    def open(cls, path: Path, *, remote_code: bool = False) -> Self:
        """Read the tokenizer of a folder that was checked. Raises ``BadInput``."""
        with reading(path) as (transformers, options):
            tokenizer = transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=remote_code, **options)
        return cls(tokenizer, origin=str(path))

    @property
    def end_of_text_id(self) -> int:
        return self.special_ids["end_of_text"]

    @property
    def longest_text(self) -> int:
        """``model_max_length``, in tokens; enormous where it was never set."""
        return int(self._tokenizer.model_max_length)

    def encode(self, text: str) -> list[int]:
        """Raises ``BadInput`` for a text with a lone surrogate."""
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text. Raises ``BadInput`` for a lone surrogate."""
        begun = [text.startswith(self._prefix_text) for text in texts]
        plain = iter(self._ids([text for text, is_begun in zip(texts, begun, strict=True) if is_begun], False))
        added = iter(self._ids([text for text, is_begun in zip(texts, begun, strict=True) if not is_begun], True))
        return [next(plain if is_begun else added) for is_begun in begun]

    def encode_stream(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """The ids of each text as they come."""
        return map(self.encode, texts)

    def decode(self, token_ids: Iterable[int], *, skip_special: bool = True) -> str:
        """The text; bytes that are no UTF-8 become U+FFFD."""
        return self._tokenizer.decode(list(token_ids), skip_special_tokens=skip_special)

    def pieces(self, token_ids: Iterable[int]) -> list[str]:
        """What each token stands for, to be shown: nothing that could steer a terminal."""
        texts = (self._tokenizer.decode([token_id]) for token_id in token_ids)
        return [text if text.isprintable() else repr(text)[1:-1] for text in texts]

    def _ids(self, texts: list[str], special: bool) -> list[list[int]]:
        if not texts:
            return []
        try:
            "".join(texts).encode()
        except UnicodeEncodeError as error:
            raise BadInput(f"the text holds a lone surrogate, which UTF-8 cannot hold: {error.reason}") from error
        return self._tokenizer(texts, add_special_tokens=special, verbose=False)["input_ids"]


class ForeignStreamingDecoder:
    """``ForeignTokenizer.decode`` for tokens that arrive one by one: the parts given back join to the whole text.

    Everything is decoded again with each token, because not every tokenizer can say what one token adds.
    """

    def __init__(self, tokenizer: ForeignTokenizer) -> None:
        self._tokenizer = tokenizer
        self._token_ids: list[int] = []
        self._given = ""

    def push(self, token_id: int) -> str:
        """The text that is certain now: an unfinished character, U+FFFD so far, is held back."""
        self._token_ids.append(token_id)
        return self._rest(self._tokenizer.decode(self._token_ids).rstrip("\ufffd"))

    def flush(self) -> str:
        """What was held back; the next ``push`` begins a new text."""
        rest = self._rest(self._tokenizer.decode(self._token_ids))
        self._token_ids, self._given = [], ""
        return rest

    def _rest(self, text: str) -> str:
        rest = text[len(self._given) :]
        self._given += rest
        return rest


def _special_ids(tokenizer: Any, origin: str) -> dict[str, int]:
    given = {name: getattr(tokenizer, f"{name}_token_id") for name in ("pad", "bos", "eos", "unk")}
    ids = {name: token_id for name, token_id in given.items() if token_id is not None}
    end_of_text = ids.get("eos", ids.get("bos"))
    if end_of_text is None:
        raise BadInput(
            f"{origin}: the tokenizer has neither a BOS nor an EOS token, so nothing can stand before a text; name "
            "one of them in tokenizer_config.json"
        )
    return {**ids, "end_of_text": end_of_text}


def _fingerprint(tokenizer: Any) -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    definition = json.dumps(tokenizer.get_vocab(), sort_keys=True) if backend is None else backend.to_str()
    return hashlib.sha256(definition.encode("utf-8", "surrogatepass")).hexdigest()
