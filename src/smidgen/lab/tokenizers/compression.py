"""Bytes per token with intervals, and the difference of two tokenizers on the same documents."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from smidgen.evaluation.intervals import BOOTSTRAP_RESAMPLES
from smidgen.tokenization.quality.measurement import Domain, Measurement

# More documents are put into so many groups to be drawn: the interval stays as wide, and that takes half a second.
MOST_GROUPS = 1000
# What is measured over all domains together.
ALL_TEXT = "all text"

Counts = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A value with its 95% interval, by bootstrap over documents; no interval from fewer than two documents."""

    value: float
    low: float | None
    high: float | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def domains_of(measurement: Measurement) -> list[str]:
    """The domains with text, and all of them together where they are several."""
    named = [name for name, domain in measurement.domains.items() if domain.tokens]
    return [*named, ALL_TEXT] if len(named) > 1 else named


def bytes_per_token(measurement: Measurement, domain: str) -> Interval:
    """Of one domain, or of ``ALL_TEXT``."""
    text_bytes, tokens = documents(measurement, domain)
    sums = _sums(np.stack([text_bytes, tokens]))
    return _interval(text_bytes.sum() / tokens.sum(), sums[:, 0] / sums[:, 1], len(tokens))


def difference(a: Measurement, b: Measurement, domain: str) -> dict[str, Any]:
    """How b does against a on the same documents: bytes per token more, and tokens as a multiple of a's.

    ``verdict`` is "fewer tokens", "more tokens" or "not distinguishable", by the interval of the multiple.
    """
    text_bytes, tokens_a = documents(a, domain)
    _, tokens_b = documents(b, domain)
    of_text, of_a, of_b = _sums(np.stack([text_bytes, tokens_a, tokens_b])).T
    number = len(text_bytes)
    more = text_bytes.sum() / tokens_b.sum() - text_bytes.sum() / tokens_a.sum()
    multiple = _interval(tokens_b.sum() / tokens_a.sum(), of_b / of_a, number)
    return {
        "domain": domain,
        "a": a.subject.name,
        "b": b.subject.name,
        "bytes_per_token": _interval(more, of_text / of_b - of_text / of_a, number).as_dict(),
        "tokens_ratio": multiple.as_dict(),
        "documents": sum(len(one.document_bytes) for one in _chosen(a, domain)),
        "verdict": _verdict(multiple),
    }


def _verdict(multiple: Interval) -> str:
    if multiple.low is None or multiple.high is None or multiple.low <= 1 <= multiple.high:
        return "not distinguishable"
    return "fewer tokens" if multiple.value < 1 else "more tokens"


def documents(measurement: Measurement, domain: str) -> tuple[Counts, Counts]:
    """Bytes and tokens of each document, or of each group where they are many."""
    chosen = _chosen(measurement, domain)
    text_bytes = np.concatenate([np.asarray(one.document_bytes, dtype=np.float64) for one in chosen])
    tokens = np.concatenate([np.asarray(one.document_tokens, dtype=np.float64) for one in chosen])
    # Empty documents have no tokens and say nothing.
    is_filled = text_bytes > 0
    return _grouped(text_bytes[is_filled]), _grouped(tokens[is_filled])


def _chosen(measurement: Measurement, domain: str) -> list[Domain]:
    return list(measurement.domains.values()) if domain == ALL_TEXT else [measurement.domains[domain]]


def _grouped(values: Counts) -> Counts:
    if len(values) <= MOST_GROUPS:
        return values
    # By turns, so that neighbours, which are alike, go to different groups.
    return np.bincount(np.arange(len(values)) % MOST_GROUPS, weights=values)


def _sums(values: Counts) -> Counts:
    """Sums over documents drawn with replacement, one row for each drawing; always the same drawings."""
    number = values.shape[1]
    generator = np.random.default_rng(0)
    drawn = [
        generator.multinomial(number, np.full(number, 1 / number), size=50) @ values.T
        for _ in range(BOOTSTRAP_RESAMPLES // 50)
    ]
    return np.concatenate(drawn)


def _interval(value: float, resampled: Counts, number: int) -> Interval:
    """Percentiles, widened for few documents as in ``smidgen.lab.paired.interval``."""
    if number < 2:
        return Interval(value=float(value), low=None, high=None)
    tail = stats.norm.cdf(np.sqrt(number / (number - 1)) * stats.t.ppf(0.025, number - 1))
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(value=float(value), low=float(low), high=float(high))
