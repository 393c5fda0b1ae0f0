"""One measured value with its interval and what has to be known to trust it."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from smidgen.evaluation.intervals import ratio_interval, wilson_interval


@dataclass(frozen=True, kw_only=True)
class Score:
    """A value with a 95% interval over ``n`` items; ``ties`` and ``truncated`` count items of these kinds.

    ``stderr`` is the sample standard error that lm-evaluation-harness prints, None for ratios of sums.
    """

    value: float
    low: float
    high: float
    n: int
    ties: int = 0
    truncated: int = 0
    stderr: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def accuracy(
    credits: Sequence[float], *, ties: int = 0, truncated: int = 0, strata: Sequence[str] | None = None
) -> Score:
    """A share of right answers; an item's credit is 1, 0 or 1/k in a k-way tie for the best.

    ``strata`` name the subtask of each item where a task has several: ``stderr`` is then pooled over them, as
    lm-evaluation-harness does for BLiMP and MMLU. The interval is Wilson's. For credits between 0 and 1 it is too
    wide rather than too narrow: no spread within these bounds exceeds that of zeros and ones.
    """
    low, high = wilson_interval(sum(credits), len(credits))
    value = sum(credits) / len(credits)
    stderr = _standard_error(credits, strata or [""] * len(credits))
    return Score(value=value, low=low, high=high, n=len(credits), ties=ties, truncated=truncated, stderr=stderr)


def _standard_error(credits: Sequence[float], strata: Sequence[str]) -> float | None:
    """Of the mean, by the spread within strata; None where each holds one item only."""
    groups: dict[str, list[float]] = {}
    for credit, stratum in zip(credits, strata, strict=True):
        groups.setdefault(stratum, []).append(credit)
    if len(groups) == len(credits):
        return None
    squares = math.fsum((credit - fmean(group)) ** 2 for group in groups.values() for credit in group)
    return math.sqrt(squares / (len(credits) - len(groups)) / len(credits))


def bits_per_byte(nats: Sequence[float], text_bytes: Sequence[int], *, truncated: int = 0) -> Score:
    """Total surprise over total UTF-8 bytes of the original text; items are documents."""
    bits = [value / math.log(2) for value in nats]
    low, high = ratio_interval(bits, text_bytes)
    return Score(value=sum(bits) / sum(text_bytes), low=low, high=high, n=len(bits), truncated=truncated)


def perplexity(nats: Sequence[float], units: Sequence[int], *, truncated: int = 0) -> Score:
    """Exponential of total surprise over the total number of units (words, bytes or tokens); items are documents."""
    low, high = ratio_interval(nats, units)
    value = _exponential(sum(nats) / sum(units))
    return Score(value=value, low=_exponential(low), high=_exponential(high), n=len(nats), truncated=truncated)


def _exponential(value: float) -> float:
    # JSON has no infinity, and beyond 1e300 no perplexity means anything.
    return math.exp(min(value, 690.0))
