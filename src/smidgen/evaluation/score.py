"""One measured value with its interval and what has to be known to trust it."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from smidgen.errors import CheckFailed
from smidgen.evaluation.intervals import ratio_interval, wilson_interval


@dataclass(frozen=True, kw_only=True)
class Score:
    """A value with a 95% interval over ``n`` items; ``ties`` and ``truncated`` count items of these kinds."""

    value: float
    low: float
    high: float
    n: int
    ties: int = 0
    truncated: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def accuracy(credits: Sequence[float], *, ties: int = 0, truncated: int = 0) -> Score:
    """A share of right answers; an item's credit is 1, 0 or 1/k in a k-way tie for the best."""
    low, high = wilson_interval(sum(credits), len(credits))
    value = sum(credits) / len(credits)
    return Score(value=value, low=low, high=high, n=len(credits), ties=ties, truncated=truncated)


def bits_per_byte(nats: Sequence[float], text_bytes: Sequence[int]) -> Score:
    """Total surprise over total UTF-8 bytes of the original text; items are documents."""
    bits = [value / math.log(2) for value in nats]
    low, high = ratio_interval(bits, text_bytes)
    return Score(value=sum(bits) / sum(text_bytes), low=low, high=high, n=len(bits))


def credit(scores: Sequence[float], label: int) -> tuple[float, bool]:
    """Credit for choosing the highest score, and whether several share it.

    A constant model must score at chance: a tie of k counts 1/k whenever the right answer is among them.
    Raises ``CheckFailed`` for NaN, which would otherwise score 0% or 100% by accident of ordering.
    """
    if any(math.isnan(score) for score in scores):
        raise CheckFailed("the model returned NaN as a log-probability; such a model cannot be scored")
    best = max(scores)
    winners = [index for index, score in enumerate(scores) if score == best]
    return (1 / len(winners) if label in winners else 0.0), len(winners) > 1
