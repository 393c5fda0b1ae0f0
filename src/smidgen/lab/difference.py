"""A measured difference between two models, and the verdict in words."""

import math
from dataclasses import dataclass
from typing import ClassVar

from scipy import stats

LEVEL = 0.05
POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Model b against model a in one metric, with a 95% interval of ``value_b - value_a``.

    ``effect`` and the two spreads (standard deviation of one observation's difference under "no difference" and as
    observed) are in credits, or nats per unit: they tell how many observations would show the difference.
    ``discordant`` counts the items on which the two differ. ``noun`` is what is counted: items, documents or seeds.
    """

    value_a: float
    value_b: float
    low: float
    high: float
    p: float
    test: str
    n: int
    discordant: int | None
    effect: float
    null_spread: float
    spread: float
    noun: str
    # Beyond this a number is no advice any more.
    most_needed: ClassVar[int] = 1_000_000

    def needed(self, level: float = LEVEL) -> int | None:
        """Observations that would show this difference in four of five tries, two-sided at ``level``.

        For right and wrong this is Connor's sample size for McNemar's test (Biometrics 1987). ``None`` when there is
        no difference or more than ``most_needed`` were needed.
        """
        if self.effect == 0:
            return None
        wanted = normal_quantile(level) * self.null_spread + stats.norm.ppf(POWER) * self.spread
        number = (wanted / self.effect) ** 2
        return math.ceil(number) if number <= self.most_needed else None


def normal_quantile(level: float) -> float:
    """What a standard normal deviation must exceed, two-sided."""
    return float(stats.norm.isf(level / 2))


def verdict(difference: Difference, *, p_adjusted: float, lower_is_better: bool) -> str:
    """How model b does against model a: "better", "worse" or "not distinguishable (needs about N items)"."""
    if p_adjusted < LEVEL:
        return "better" if (difference.value_b < difference.value_a) == lower_is_better else "worse"
    needed = difference.needed(level_after(difference.p, p_adjusted))
    noun = difference.noun.removesuffix("s") if needed == 1 else difference.noun
    return f"not distinguishable (needs {_about(needed, difference.most_needed)} {noun})"


def level_after(p: float, p_adjusted: float) -> float:
    """The level that a correction over several comparisons left to one of them."""
    return LEVEL * p / p_adjusted if p_adjusted > 0 else LEVEL


def _about(number: int | None, most: int) -> str:
    """Two significant digits, which is more than such a forecast holds."""
    if number is None:
        return f"more than {most:,}"
    step = 10 ** max(0, len(str(number)) - 2)
    return f"about {round(number / step) * step:,}"
