import math
import sys

import pytest

from smidgen.errors import BadInput
from smidgen.lab.ablation.sweep import Sweep
from smidgen.lab.ablation.sweep_axis import Choices, Range
from smidgen.lab.ablation.sweep_outcome import SweepTrial
from smidgen.lab.ablation.sweep_pruning import Judgement
from smidgen.trials.sweep_sampler import load_optuna, suggest

RATE = Range(key="rate", low=5e-4, high=8e-3, log=True)
WARMUP = Range(key="warmup", low=10, high=50, step=5, are_whole=True)
KIND = Choices(key="kind", values=("a", [1, 2], {"b": 3}))


def sweep(*axes, sampler="tpe", trials=30, seed=0):
    return Sweep(axes=axes, trials=trials, seed=seed, sampler=sampler, pruner="none", at=(0.25,), confirm=1)


def trial(number, settings, bits=None, state="finished", judgements=()):
    return SweepTrial(
        number=number, settings=settings, judgements=judgements, seed=0, state=state, bits_per_byte=bits
    )


def carried_out(of, count, objective):
    trials = []
    for number in range(1, count + 1):
        settings = suggest(of, trials)
        trials.append(trial(number, settings, objective(settings)))
    return trials


def valley(settings):
    return 2 + math.log(settings["rate"] / 2.5e-3) ** 2


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_suggestions_lie_inside_their_axes_and_depend_on_nothing_but_seed_and_trials(sampler):
    of = sweep(RATE, WARMUP, KIND, sampler=sampler)
    trials = carried_out(of, 9, valley)
    for one in trials:
        assert 5e-4 <= one.settings["rate"] <= 8e-3
        assert one.settings["rate"] == float(f"{one.settings['rate']:.4g}")
        assert one.settings["warmup"] in range(10, 51, 5)
        assert one.settings["kind"] in KIND.values
    assert [one.settings for one in carried_out(of, 9, valley)] == [one.settings for one in trials]
    others = carried_out(sweep(RATE, WARMUP, KIND, sampler=sampler, seed=4), 9, valley)
    assert all(one.settings != other.settings for one, other in zip(trials, others, strict=True))


def test_tpe_looks_where_it_was_good():
    """The mean distance from the best rate, in powers of e, of the last ten trials; 0.8 by chance."""
    trials = carried_out(sweep(RATE), 30, valley)
    distances = [abs(math.log(one.settings["rate"] / 2.5e-3)) for one in trials[-10:]]
    assert sum(distances) / len(distances) < 0.4


def test_trials_in_every_state_are_told():
    of = sweep(RATE, trials=8)
    rates = [6e-4, 1e-3, 2e-3, 3e-3, 4e-3, 8e-3]
    judged = (Judgement(at=0.25, bits_per_byte=3.0, limit=2.0, goes_on=False),)
    trials = [
        trial(1, {"rate": rates[0]}, 2.5),
        trial(2, {"rate": rates[1]}, 2.1),
        trial(3, {"rate": rates[2]}, state="pruned", judgements=judged),
        trial(4, {"rate": rates[3]}, state="pending"),
        trial(5, {"rate": rates[4]}, state="failed"),
        trial(6, {"rate": rates[5]}, state="diverged"),
    ]
    assert 5e-4 <= suggest(of, trials)["rate"] <= 8e-3
    assert suggest(of, [one for one in trials if one.state == "diverged"])


def test_a_setting_that_diverged_counts_as_the_worst():
    """Half of the rates diverge: TPE stays with the others."""
    of = sweep(RATE)
    trials = []
    for number in range(1, 25):
        settings = suggest(of, trials)
        is_hot = settings["rate"] > 2e-3
        trials.append(
            trial(number, settings, None if is_hot else 2.0 - settings["rate"], "diverged" if is_hot else "finished")
        )
    assert sum(one.state == "diverged" for one in trials[-10:]) <= 4


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_no_settings_are_tried_twice_and_all_are_tried_in_the_end(sampler):
    layers, batch = Choices(key="layers", values=(2, 4, 6)), Choices(key="batch", values=(64, 96))
    of = sweep(layers, batch, sampler=sampler, trials=6)
    trials = carried_out(of, 6, lambda settings: settings["layers"] / settings["batch"])
    tried = [tuple(one.settings.values()) for one in trials]
    assert sorted(tried) == [(2, 64), (2, 96), (4, 64), (4, 96), (6, 64), (6, 96)]
    if sampler == "grid":
        assert tried == sorted(tried)


def test_a_missing_optuna_is_one_sentence_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(BadInput, match=r"sweeps need optuna, .* pip install 'smidgen\[sweep\]'"):
        load_optuna()
