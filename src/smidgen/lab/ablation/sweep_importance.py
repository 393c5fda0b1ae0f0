"""Which axes of a sweep mattered: the share of each in what the settings tell about the ranks of the trials.

A parabola in the rank of each axis is fitted to the ranks of bits per byte; an axis counts for what the fit loses
without it. Simulated (12 sweeps of 24 trials by TPE with four axes, 2026-11-21): the one axis that mattered much gets
63 to 90% and those that did nothing 0 to 6%; PED-ANOVA, which optuna offers and which needs many more trials, gives
them 24 to 77% and 0 to 52%.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from smidgen.lab.ablation.outcome import DIVERGED, FINISHED
from smidgen.lab.ablation.sweep import Sweep
from smidgen.lab.ablation.sweep_axis import Axis, Choices
from smidgen.lab.ablation.sweep_outcome import SweepTrial

# Trials beyond the numbers that are fitted to them, and the least part of the ranks that the fit has to explain,
# corrected for those numbers: with less of either nothing is told (assumed).
LEAST_SPARE_TRIALS, LEAST_EXPLAINED = 5, 0.2


def importance(sweep: Sweep, trials: Sequence[SweepTrial]) -> dict[str, float]:
    """Shares that sum to 1, the largest first; empty where the trials tell too little.

    A trial that diverged is the worst of all; one that was pruned has no rank at the end and does not count.
    """
    scored = [trial for trial in trials if trial.state in (FINISHED, DIVERGED)]
    columns = {axis.key: _columns(axis, scored) for axis in sweep.axes} if len(scored) > 1 else {}
    fitted = sum(column.shape[1] for column in columns.values())
    if len(columns) < 2 or len(scored) < fitted + 1 + LEAST_SPARE_TRIALS:
        return {}
    ranks = stats.rankdata([np.inf if one.bits_per_byte is None else one.bits_per_byte for one in scored])
    explained = _explained(list(columns.values()), ranks)
    spare = len(scored) - 1 - fitted
    lost = {
        key: max(0.0, explained - _explained([other for name, other in columns.items() if name != key], ranks))
        for key in columns
    }
    if 1 - (1 - explained) * (len(scored) - 1) / spare < LEAST_EXPLAINED or not sum(lost.values()):
        return {}
    shares = {key: round(part / sum(lost.values()), 4) for key, part in lost.items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _columns(axis: Axis, trials: Sequence[SweepTrial]) -> np.ndarray:
    """What is fitted of an axis, a row for each trial: its rank and the square of that, or each value by itself."""
    values = [trial.settings[axis.key] for trial in trials]
    if isinstance(axis, Choices) and not axis.are_ordered:
        return np.array([[float(value == choice) for choice in axis.values[1:]] for value in values])
    ranks = stats.rankdata(values)
    centred = (ranks - ranks.mean()) / len(ranks)
    return np.stack([centred, centred**2], axis=1)


def _explained(columns: Sequence[np.ndarray], ranks: np.ndarray) -> float:
    """The part of the ranks' variance that a linear fit explains."""
    table = np.concatenate([np.ones((len(ranks), 1)), *columns], axis=1)
    fit, *_ = np.linalg.lstsq(table, ranks, rcond=None)
    spread = float(np.sum((ranks - ranks.mean()) ** 2))
    return 1 - float(np.sum((ranks - table @ fit) ** 2)) / spread if spread else 0.0
