"""95% intervals of the two kinds of score: a share of right answers, and a ratio of two sums."""

import math
from collections.abc import Sequence

import numpy as np

# Two-sided 95% quantile of the normal distribution.
Z_95 = 1.959963984540054
BOOTSTRAP_RESAMPLES = 2000


def wilson_interval(right: float, n: int) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927); ``right`` may hold fractions of ties.

    Raises ``ValueError`` without items.
    """
    if n < 1:
        raise ValueError("an interval needs at least one item")
    share = right / n
    spread = Z_95**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    # At the ends rounding would leave 1e-19 between the bound and the share itself.
    return (0.0 if right <= 0 else centre - half), (1.0 if right >= n else centre + half)


def ratio_interval(numerators: Sequence[float], denominators: Sequence[float]) -> tuple[float, float]:
    """Percentile bootstrap interval of sum(numerators) / sum(denominators) over items, such as documents."""
    top, bottom = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if top.size == 0:
        raise ValueError("an interval needs at least one item")
    generator = np.random.default_rng(0)
    # Counts of each item in a resample, drawn in pieces so that memory stays small for many items.
    ratios = []
    for _ in range(BOOTSTRAP_RESAMPLES // 50):
        counts = generator.multinomial(top.size, np.full(top.size, 1 / top.size), size=50)
        ratios.append(counts @ top / (counts @ bottom))
    low, high = np.percentile(np.concatenate(ratios), [2.5, 97.5])
    return float(low), float(high)
