import math

import pytest

from smidgen.errors import BadInput
from smidgen.lab.ablation.halving import Halving
from smidgen.records import atomic
from smidgen.trials.halving import agenda, require_measurements
from smidgen.trials.trial_record import write_trial_record

RATES = {"a": 1e-3, "b": 2e-3, "c": 5e-3, "d": 6e-3}
FOUR = "\n".join(f'[variants.{name}]\n"training.peak_learning_rate" = {rate}' for name, rate in RATES.items())
# Of 40 steps: decided at steps 10 and 20.
HALVING = Halving(at=(0.25, 0.5), keep=0.5)


def open_ones(trials, folder, halving=HALVING):
    return {trial.folder_name: tokens for trial, tokens in agenda(trials, folder, halving).open}


def stopped_ones(trials, folder):
    return {trial.folder_name: reason for trial, reason in agenda(trials, folder, HALVING).stopped}


@pytest.fixture
def four(new_try):
    return new_try(variants=FOUR)


@pytest.fixture
def measure(four, measured):
    def call(step, values, seeds=(1, 2)):
        for trial in four.trials:
            if trial.seed in seeds and trial.variant in values:
                # A tenth more or less with the seed: the mean decides.
                measured(four.folder, trial, {step: values[trial.variant] + 0.1 * (trial.seed - 1.5)})

    return call


def test_without_halving_all_trials_go_to_their_end_in_the_order_of_the_plan(four):
    assert list(open_ones(four.trials, four.folder, None).items()) == [
        (trial.folder_name, None) for trial in four.trials
    ]


def test_variants_pause_at_the_first_fraction_and_the_base_does_not(four):
    goals = open_ones(four.trials, four.folder)
    assert goals.pop("base/seed-1") is None
    assert goals.pop("base/seed-2") is None
    assert goals == {f"{name}/seed-{seed}": 960 for name in "abcd" for seed in (1, 2)}


def test_those_who_have_come_there_wait_for_the_others(four, measure):
    measure(10, {"a": 3.0, "b": 2.0, "c": 4.0})
    measure(10, {"d": 1.0}, seeds=(1,))
    assert set(open_ones(four.trials, four.folder)) == {"base/seed-1", "base/seed-2", "d/seed-2"}
    assert stopped_ones(four.trials, four.folder) == {}


def test_the_worse_half_stops_and_the_rest_goes_to_the_next_fraction(four, measure):
    measure(10, {"a": 3.0, "b": 2.0, "c": 4.0, "d": 1.0})
    goals = open_ones(four.trials, four.folder)
    assert {name: goals[name] for name in goals if "base" not in name} == {
        f"{name}/seed-{seed}": 1920 for name in "bd" for seed in (1, 2)
    }
    stopped = stopped_ones(four.trials, four.folder)
    assert set(stopped) == {f"{name}/seed-{seed}" for name in "ac" for seed in (1, 2)}
    assert stopped["a/seed-1"] == (
        "stopped at 25% of the training: place 3 of 4 by held-out bits per byte, 2 went on"
    )


def test_after_the_last_fraction_the_best_go_to_their_end(four, measure):
    measure(10, {"a": 3.0, "b": 2.0, "c": 4.0, "d": 1.0})
    measure(20, {"b": 0.9, "d": 1.0})
    goals = open_ones(four.trials, four.folder)
    assert goals["b/seed-1"] is None
    assert "d/seed-1" not in goals


def test_a_decision_stands_whatever_is_measured_later(four, measure, measured):
    measure(10, {"a": 3.0, "b": 2.0, "c": 4.0, "d": 1.0})
    before = stopped_ones(four.trials, four.folder)
    for trial in four.trials:
        if trial.variant == "a":
            measured(four.folder, trial, {10: 0.1})
    assert stopped_ones(four.trials, four.folder) == before


def test_a_seed_that_is_added_later_stops_where_its_variant_did(four, new_try, measure):
    measure(10, {"a": 3.0, "b": 2.0, "c": 4.0, "d": 1.0})
    agenda(four.trials, four.folder, HALVING)
    more = new_try(variants=FOUR, seeds=3, folder=four.folder)
    assert "a/seed-3" in stopped_ones(more.trials, more.folder)
    assert open_ones(more.trials, more.folder)["b/seed-3"] == 1920


def test_a_variant_that_diverged_before_comes_last(four, measure):
    measure(10, {"a": 3.0, "b": 2.0, "c": 4.0})
    for trial in four.trials:
        if trial.variant == "d":
            write_trial_record(four.folder.run_of(trial.folder_name), trial, "diverged", "it rose")
    stopped = stopped_ones(four.trials, four.folder)
    assert set(stopped) == {"c/seed-1", "c/seed-2"}
    assert "place 3 of 4" in stopped["c/seed-1"]


def test_equal_variants_are_ranked_by_their_order_in_the_definition(four, measure):
    measure(10, dict.fromkeys("abcd", 2.0))
    assert set(stopped_ones(four.trials, four.folder)) == {f"{name}/seed-{seed}" for name in "cd" for seed in (1, 2)}


def test_what_stops_at_one_scale_does_not_begin_at_the_next(new_try, measured):
    two = new_try(variants=FOUR, budget="tokens = 3_840\nscales = [1, 2]")
    values = {"a": 3.0, "b": 2.0, "c": 4.0, "d": 1.0}
    for trial in two.trials:
        if trial.scale == 1 and trial.variant in values:
            measured(two.folder, trial, {10: values[trial.variant], 20: values[trial.variant]})
    goals = open_ones(two.trials, two.folder)
    assert goals["d/seed-1"] is None
    # Steps 10 of 80 come first there, too.
    assert goals["d/x2-seed-1"] == 1920
    assert goals["base/x2-seed-1"] is None
    assert {"a/x2-seed-1", "b/x2-seed-1"} <= set(stopped_ones(two.trials, two.folder))


def test_a_fraction_before_the_first_measurement_is_refused_with_one_that_works(four):
    with pytest.raises(
        BadInput, match=r"halving at 0\.05 comes at step 2 of a, before its first .* step 10; 0\.25 or"
    ):
        require_measurements(four.trials, Halving(at=(0.05,)))
    require_measurements(four.trials, Halving(at=(0.25,)))
    require_measurements(four.trials, None)


def test_a_decision_is_readable_and_holds_no_infinity(four, measure):
    measure(10, {"a": 3.0, "b": 2.0, "c": 4.0})
    for trial in four.trials:
        if trial.variant == "d":
            atomic.write_json(four.folder.record_of(trial.folder_name), {"state": "failed"})
    agenda(four.trials, four.folder, HALVING)
    text = (four.folder.path / "halving" / "x1-at-0.25.json").read_text()
    assert '"d": null' in text
    assert str(math.inf) not in text
