"""How large a difference so many pairs of seeds would show."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from smidgen.lab.ablation.noise_floor import NoiseFloor
from smidgen.lab.difference import LEVEL, POWER
from smidgen.lab.seeds import ROUNDING

# Numbers of seeds that an estimate is given for, besides the ablation's own.
SEEDS = (2, 3, 5, 10)
# Of the distribution of the measured deviation. Power moves by less than 0.0005 with ten times as many.
_QUANTILES = 4001


@dataclass(frozen=True, kw_only=True)
class PowerEstimate:
    """``detectable`` is the difference that is found in four of five tries, by ``verdicts`` tests at once.

    ``deviation`` is that of paired differences, as it was measured or assumed.
    """

    task: str
    metric: str
    tokens: int
    seeds: int
    detectable: float
    deviation: float
    verdicts: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def sentence(self) -> str:
        size = f"{self.detectable:.2g} {self.metric.replace('_', ' ')}"
        among = f", as one of {self.verdicts} verdicts" if self.verdicts > 1 else ""
        return f"with {self.seeds} seeds a difference of {size} ({self.task}) is found in four of five tries{among}"


def power(effect: float, deviation: float, seeds: int, *, level: float = LEVEL) -> float:
    """The chance that a paired t-test over ``seeds`` finds ``effect``, the differences' deviation being known."""
    return _power(abs(effect) / deviation, seeds, _critical(seeds, level))


def detectable(deviation: float, seeds: int, *, level: float = LEVEL, wanted: float = POWER) -> float:
    """The difference that ``seeds`` pairs find with the chance ``wanted``, two-sided at ``level``."""
    critical = _critical(seeds, level)
    # With 2 seeds and a level of 0.0005 it is a thousand deviations.
    return deviation * float(optimize.brentq(lambda effect: _power(effect, seeds, critical) - wanted, 1e-6, 1e7))


def _power(effect: float, seeds: int, critical: np.ndarray) -> float:
    """By the noncentral t distribution, integrated over its denominator; ``effect`` is in deviations.

    scipy's own noncentral t fails at the large noncentralities that 2 seeds need.
    """
    shift = effect * math.sqrt(seeds)
    return float(np.mean(special.ndtr(shift - critical) + special.ndtr(-critical - shift)))


def _critical(seeds: int, level: float) -> np.ndarray:
    """What the mean must exceed, in standard errors, at equally likely values of the measured deviation."""
    freedom = seeds - 1
    chances = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    deviations = np.sqrt(2 * special.gammaincinv(freedom / 2, chances) / freedom)
    return stats.t.isf(level / 2, freedom) * deviations


def power_estimates(floors: Sequence[NoiseFloor], seeds: int, *, verdicts: int = 1) -> list[PowerEstimate]:
    """What ``seeds`` seeds, and some other numbers of them, would show in each task, at one verdict among several.

    The level is what Holm's correction leaves to the first of them, so the estimates are on the careful side. Tasks
    that all seeds score alike tell nothing and are left out.
    """
    level = LEVEL / max(1, verdicts)
    return [
        PowerEstimate(
            task=floor.task,
            metric=floor.metric,
            tokens=floor.tokens,
            seeds=count,
            detectable=detectable(floor.deviation_of_differences, count, level=level),
            deviation=floor.deviation_of_differences,
            verdicts=max(1, verdicts),
        )
        for floor in floors
        if floor.deviation_of_differences > ROUNDING
        for count in sorted({*SEEDS, seeds})
    ]
