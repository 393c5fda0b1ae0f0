"""What a trained tokenizer does to sample texts, as plain data."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import tee
from typing import Any

from smidgen.tokenization.tokenizer import Tokenizer

# An embedding row seen fewer times than this has hardly been trained (assumed).
RARE_BELOW = 10
_LONGEST_SHOWN = 20


@dataclass(frozen=True)
class _Domain:
    counts: Counter[int]
    text_bytes: int
    roundtrip_failures: int

    @property
    def bytes_per_token(self) -> float:
        return self.text_bytes / self.counts.total() if self.counts else 0.0


def inspect(tokenizer: Tokenizer, texts_by_domain: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    """Bytes per token by domain (0.0 where a domain has no text), and how the vocabulary is used over all of them.

    ``unused`` counts the tokens, control tokens aside, that occur in no text, ``unused_bytes`` those of them that are
    single bytes: 13 of these never occur in UTF-8, and case mapping spares 26 capitals. ``rare`` counts tokens that
    occur fewer than 10 times, the unused included. ``longest_tokens`` are shown as ``Tokenizer.pieces``.
    """
    measured = {domain: _measure(tokenizer, texts) for domain, texts in texts_by_domain.items()}
    counts = sum((domain.counts for domain in measured.values()), Counter())
    ordinary = sorted(set(range(tokenizer.vocab_size)) - set(tokenizer.special_ids.values()))
    unused = [token_id for token_id in ordinary if not counts[token_id]]
    return {
        "vocab_size": tokenizer.vocab_size,
        "bytes_per_token": {name: domain.bytes_per_token for name, domain in measured.items()},
        "tokens": {name: domain.counts.total() for name, domain in measured.items()},
        "unused": len(unused),
        "unused_bytes": sum(_length(tokenizer, token_id) == 1 for token_id in unused),
        "rare": sum(counts[token_id] < RARE_BELOW for token_id in ordinary),
        "longest_tokens": _longest(tokenizer, ordinary),
        "roundtrip_failures": sum(domain.roundtrip_failures for domain in measured.values()),
    }


def roundtrip_failures(tokenizer: Tokenizer, texts: Iterable[str]) -> list[str]:
    """The texts that do not come back as they were after encoding and decoding, or whose ids hold a control token."""
    return [text for text, ids in _encoded(tokenizer, texts) if not _comes_back(tokenizer, text, ids)]


def _measure(tokenizer: Tokenizer, texts: Iterable[str]) -> _Domain:
    counts: Counter[int] = Counter()
    text_bytes = roundtrip_failures = 0
    for text, ids in _encoded(tokenizer, texts):
        counts.update(ids)
        text_bytes += tokenizer.text_bytes(text)
        roundtrip_failures += not _comes_back(tokenizer, text, ids)
    return _Domain(counts, text_bytes, roundtrip_failures)


def _encoded(tokenizer: Tokenizer, texts: Iterable[str]) -> Iterator[tuple[str, list[int]]]:
    given, to_encode = tee(texts)
    return zip(given, tokenizer.encode_stream(to_encode), strict=True)


def _comes_back(tokenizer: Tokenizer, text: str, ids: Sequence[int]) -> bool:
    control_ids = set(tokenizer.special_ids.values())
    return control_ids.isdisjoint(ids) and tokenizer.decode(ids) == text


def _longest(tokenizer: Tokenizer, token_ids: Iterable[int]) -> list[str]:
    longest = sorted(token_ids, key=lambda token_id: (-_length(tokenizer, token_id), token_id))
    return tokenizer.pieces(longest[:_LONGEST_SHOWN])


def _length(tokenizer: Tokenizer, token_id: int) -> int:
    content, _ = tokenizer.content(token_id)
    return len(content)
