"""How far trainings of one recipe lie apart that differ in nothing but the seed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from smidgen.lab.ablation.budget import BASE
from smidgen.lab.ablation.table import Table
from smidgen.lab.difference import LEVEL


@dataclass(frozen=True, kw_only=True)
class NoiseFloor:
    """Standard deviation of a task's value over seeds, with its 95% interval (chi-square: normal noise assumed).

    ``paired_deviation`` is that of differences between a variant and the base under the same seed, pooled over
    ``paired_freedom`` degrees of freedom; ``None`` and 0 where there were no variants. Where seeds move
    both alike it is smaller than the sqrt(2) deviations of unpaired trainings.
    """

    task: str
    metric: str
    standard_deviation: float
    low: float
    high: float
    seeds: int
    tokens: int
    paired_deviation: float | None = None
    paired_freedom: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def deviation_of_differences(self) -> float:
        """What power estimates count with."""
        if self.paired_deviation is not None:
            return self.paired_deviation
        return math.sqrt(2) * self.standard_deviation


def noise_floors(tables: Sequence[Table], tokens: Mapping[float, int]) -> list[NoiseFloor]:
    """Of the base in each task at each scale with two seeds or more; ``tokens`` are those of the base by scale."""
    return [
        _noise_floor(table, list(values), tokens[table.scale])
        for table in tables
        if len(values := table.of(BASE).values()) >= 2
    ]


def deviation(values: Sequence[float]) -> tuple[float, float, float]:
    """Sample standard deviation and its 95% interval."""
    freedom = len(values) - 1
    found = float(np.std(values, ddof=1))
    low, high = (found * math.sqrt(freedom / stats.chi2.isf(tail, freedom)) for tail in (LEVEL / 2, 1 - LEVEL / 2))
    return found, low, high


def _noise_floor(table: Table, values: Sequence[float], tokens: int) -> NoiseFloor:
    found, low, high = deviation(values)
    pooled, freedom = _paired(table)
    return NoiseFloor(
        task=table.task,
        metric=table.metric.name,
        standard_deviation=found,
        low=low,
        high=high,
        seeds=len(values),
        tokens=tokens,
        paired_deviation=pooled,
        paired_freedom=freedom,
    )


def _paired(table: Table) -> tuple[float | None, int]:
    """The deviation of paired differences, pooled over the variants, and its degrees of freedom."""
    squares, freedom = 0.0, 0
    for variant in dict.fromkeys(name for name, _ in table.values if name != BASE):
        a, b = table.paired(BASE, variant)
        if len(a) >= 2:
            squares += float(np.var(b - a, ddof=1)) * (len(a) - 1)
            freedom += len(a) - 1
    return (math.sqrt(squares / freedom), freedom) if freedom else (None, 0)
