"""``tokenizer/quality.json``: how well the tokenizer fits its text."""

from dataclasses import dataclass
from pathlib import Path

from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import numbers, optional, sequence, tally, text, whole


@dataclass(frozen=True, kw_only=True)
class TokenizerQuality:
    vocab_size: int
    bytes_per_token: dict[str, float]
    unused: int | None
    rare: int | None
    roundtrip_failures: int | None
    longest_tokens: tuple[str, ...]


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
        )
