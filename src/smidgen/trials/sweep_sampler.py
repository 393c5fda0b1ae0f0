"""Which settings a sweep tries next: optuna, asked afresh each time.

optuna keeps nothing: each question comes with all that the folder knows by then (decisions/0013-sweeps.md).
"""

import hashlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from smidgen.errors import BadInput
from smidgen.lab.ablation.outcome import DIVERGED, FAILED, FINISHED, PENDING, PRUNED
from smidgen.lab.ablation.sweep import Settings, Sweep
from smidgen.lab.ablation.sweep_axis import Axis, Range
from smidgen.lab.ablation.sweep_outcome import SweepTrial

# Settings that a sampler repeats are of no use; where it does so this often, the next in order is taken.
MOST_DRAWS = 30
# Random settings before TPE has something to go by: a quarter of the trials, within these.
STARTUP_TRIALS = (5, 10)
# A training that diverged counts as so many bits per byte worse than the worst that finished.
DIVERGED_BY = 1.0


def load_optuna() -> ModuleType:
    """optuna, which takes a second to import. Raises ``BadInput`` where it is missing."""
    try:
        import optuna
    except ImportError as error:
        raise BadInput("sweeps need optuna, which is not installed: pip install 'smidgen[sweep]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def suggest(sweep: Sweep, trials: Sequence[SweepTrial]) -> Settings:
    """The settings of the trial that comes after ``trials``: the same whenever it is asked with the same trials."""
    tried = [trial.settings for trial in trials]
    if sweep.sampler != "grid":
        for draw in range(MOST_DRAWS):
            found = _drawn(sweep, trials, draw)
            if found not in tried:
                return found
        if sweep.combinations is None:
            return found
    return next(settings for settings in sweep.grid() if settings not in tried)


def _drawn(sweep: Sweep, trials: Sequence[SweepTrial], draw: int) -> Settings:
    optuna = load_optuna()
    seed = _seed(sweep.seed, len(trials) + 1, draw)
    if sweep.sampler == "random":
        sampler = optuna.samplers.RandomSampler(seed=seed)
    else:
        low, high = STARTUP_TRIALS
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(max(sweep.planned // 4, low), high))
    study = optuna.create_study(sampler=sampler)
    study.add_trials([_told(trial, sweep, trials) for trial in trials])
    asked = study.ask({axis.key: _distribution(axis) for axis in sweep.axes})
    return {axis.key: _value(axis, asked.params[axis.key]) for axis in sweep.axes}


def _seed(*parts: int) -> int:
    """Of the sweep, the trial's number and the draw: so every trial has randomness of its own."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big")


def _told(trial: SweepTrial, sweep: Sweep, trials: Sequence[SweepTrial]) -> Any:
    """The trial as optuna knows trials."""
    optuna = load_optuna()
    states = optuna.trial.TrialState
    state = {
        FINISHED: states.COMPLETE,
        DIVERGED: states.COMPLETE,
        PRUNED: states.PRUNED,
        FAILED: states.FAIL,
        PENDING: states.RUNNING,
    }[trial.state]
    value = _worst(trials) + DIVERGED_BY if trial.state == DIVERGED else trial.bits_per_byte
    return optuna.trial.create_trial(
        state=state,
        value=value if state == states.COMPLETE else None,
        params={axis.key: _parameter(axis, trial.settings[axis.key]) for axis in sweep.axes},
        distributions={axis.key: _distribution(axis) for axis in sweep.axes},
        intermediate_values={number: one.bits_per_byte for number, one in enumerate(trial.judgements, start=1)},
    )


def _worst(trials: Sequence[SweepTrial]) -> float:
    return max((trial.bits_per_byte for trial in trials if trial.bits_per_byte is not None), default=0.0)


def _distribution(axis: Axis) -> Any:
    """Values of a list are known to optuna by their places, so that they may be anything."""
    distributions = load_optuna().distributions
    if not isinstance(axis, Range):
        places = range(len(axis.values))
        return (
            distributions.IntDistribution(0, len(axis.values) - 1)
            if axis.are_ordered
            else distributions.CategoricalDistribution(tuple(places))
        )
    if axis.are_whole:
        return distributions.IntDistribution(axis.low, axis.high, log=axis.log, step=axis.step or 1)
    return distributions.FloatDistribution(axis.low, axis.high, log=axis.log, step=axis.step)


def _value(axis: Axis, parameter: Any) -> Any:
    return axis.nearest(parameter) if isinstance(axis, Range) else axis.values[parameter]


def _parameter(axis: Axis, value: Any) -> Any:
    return value if isinstance(axis, Range) else axis.values.index(value)
