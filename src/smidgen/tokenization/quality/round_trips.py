"""Whether texts survive encoding and decoding."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee

from smidgen.tokenization.quality.subject import Encoder


def roundtrip_failures(tokenizer: Encoder, texts: Iterable[str]) -> list[str]:
    """The texts that do not come back as they were after encoding and decoding, or whose ids hold a control token."""
    return [text for text, ids in encoded(tokenizer, texts) if not comes_back(tokenizer, text, ids)]


def encoded(tokenizer: Encoder, texts: Iterable[str]) -> Iterator[tuple[str, list[int]]]:
    """Each text with its ids."""
    given, to_encode = tee(texts)
    return zip(given, tokenizer.encode_stream(to_encode), strict=True)


def comes_back(tokenizer: Encoder, text: str, ids: Sequence[int]) -> bool:
    control_ids = set(tokenizer.special_ids.values())
    return control_ids.isdisjoint(ids) and tokenizer.decode(ids) == text
