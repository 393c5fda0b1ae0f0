import math
import random

import pytest

from smidgen.lab.ablation.sweep import Sweep
from smidgen.lab.ablation.sweep_axis import Choices, Range
from smidgen.lab.ablation.sweep_importance import importance
from smidgen.lab.ablation.sweep_outcome import SweepTrial

AXES = (
    Range(key="rate", low=5e-4, high=8e-3, log=True),
    Choices(key="batch", values=(8192, 16384, 32768)),
    Range(key="warmup", low=10, high=200, are_whole=True),
    Choices(key="kind", values=("a", "b", "c")),
)
SWEEP = Sweep(axes=AXES, trials=30, seed=0, sampler="random", pruner="none", at=(0.25,), confirm=1)


def trials(count, outcome, seed=1, state="finished"):
    dice = random.Random(seed)
    found = []
    for number in range(1, count + 1):
        settings = {
            "rate": math.exp(dice.uniform(math.log(5e-4), math.log(8e-3))),
            "batch": dice.choice(AXES[1].values),
            "warmup": dice.randint(10, 200),
            "kind": dice.choice(AXES[3].values),
        }
        found.append(
            SweepTrial(
                number=number,
                settings=settings,
                judgements=(),
                seed=0,
                state=state,
                bits_per_byte=outcome(settings, dice) if state == "finished" else None,
            )
        )
    return found


def valley(settings, dice):
    """A best learning rate inside the range, and a little noise."""
    return 2 + 0.1 * math.log(settings["rate"] / 2.5e-3) ** 2 + dice.gauss(0, 0.003)


@pytest.mark.parametrize("seed", range(5))
def test_the_axis_that_mattered_gets_nearly_all(seed):
    shares = importance(SWEEP, trials(30, valley, seed))
    assert next(iter(shares)) == "rate"
    assert shares["rate"] > 0.8
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)


def test_values_without_an_order_count_by_themselves():
    shares = importance(SWEEP, trials(30, lambda one, dice: 2 + (one["kind"] == "b") + dice.gauss(0, 0.1)))
    assert next(iter(shares)) == "kind"
    assert shares["kind"] > 0.8


def test_noise_alone_and_few_trials_tell_nothing():
    assert importance(SWEEP, trials(30, lambda one, dice: dice.gauss(2, 0.1), seed=2)) == {}
    assert importance(SWEEP, trials(13, valley)) == {}
    assert importance(SWEEP, []) == {}


def test_trials_that_diverged_are_the_worst_and_pruned_ones_do_not_count():
    finished = trials(30, valley)
    hot = [
        SweepTrial(number=one.number, settings=one.settings, judgements=(), seed=0, state="diverged")
        if one.settings["rate"] > 4e-3
        else one
        for one in finished
    ]
    assert importance(SWEEP, hot)["rate"] > 0.7
    assert importance(SWEEP, trials(30, valley, state="pruned")) == {}
