"""``tokenizer/quality.json``: how well the tokenizer fits its text."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, number, numbers, optional, sequence, tally, text, whole
from smidgen.tokenization.quality.token_kind import TokenKind

Spent = dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class TokenizerQuality:
    """``spent_by_domain`` holds shares of tokens and of bytes by kind of token; ``same_but_for_case`` counts entries
    that equal another but for capitals.
    """

    vocab_size: int
    bytes_per_token: dict[str, float]
    unused: int | None
    rare: int | None
    roundtrip_failures: int | None
    longest_tokens: tuple[str, ...]
    effective_vocab_size: float | None = None
    same_but_for_case: int | None = None
    spent_by_domain: dict[str, Spent] = field(default_factory=dict)


def read_tokenizer_quality(path: Path) -> TokenizerQuality | None:
    with damage_named(path):
        stored = read_object(path)
        if stored is None:
            return None
        return TokenizerQuality(
            vocab_size=whole(stored["vocab_size"]),
            bytes_per_token=numbers(stored.get("bytes_per_token") or {}),
            unused=optional(tally, stored.get("unused")),
            rare=optional(tally, stored.get("rare")),
            roundtrip_failures=optional(tally, stored.get("roundtrip_failures")),
            longest_tokens=tuple(text(token) for token in sequence(stored.get("longest_tokens") or [])),
            effective_vocab_size=optional(number, stored.get("effective_vocab_size")),
            same_but_for_case=optional(whole, mapping(stored.get("same_but_for_case") or {}).get("by_case")),
            spent_by_domain={
                domain: _spent(spent) for domain, spent in mapping(stored.get("spent_by_domain") or {}).items()
            },
        )


def _spent(stored: Any) -> Spent:
    """Kinds that this version does not know are left out."""
    known = {kind: numbers(shares) for kind, shares in mapping(stored).items() if kind in set(TokenKind)}
    return {kind: shares for kind, shares in known.items() if shares.keys() >= {"tokens", "bytes"}}
