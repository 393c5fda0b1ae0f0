"""A sweep's decisions, driven by hand: trials are measured and end as a test says, and nothing is trained."""

import json

import pytest

from smidgen.lab.ablation.sweep_outcome import read_confirmed
from smidgen.records import atomic
from smidgen.records.run_lock import lock
from smidgen.trials.programme import Programme
from smidgen.trials.sweep_agenda import SweepAgenda

RATE = "training.peak_learning_rate"
SWEEP = """
[sweep]
trials = {trials}
sampler = "{sampler}"
pruner = "{pruner}"
confirm = 2
[sweep.axes]
{axes}
"""
RATES = '"training.peak_learning_rate" = { low = 1e-3, high = 5e-2, log = true }'
# Of 40 steps of 96 tokens; measured every 10.
QUARTER, HALF = 960, 1920


class Play:
    """A sweep with the means to let its trials get on."""

    def __init__(self, attempt, measured):
        self.attempt, self.folder, self.measured = attempt, attempt.folder, measured
        self.agenda = self.new_agenda()

    def new_agenda(self):
        ablation = self.attempt.ablation
        return SweepAgenda(ablation, ablation.sweep, self.folder)

    def look(self, free=1, taken=()):
        return self.agenda.look(free, taken)

    def open(self, **keywords):
        """The numbers of the trials that may go on, with the tokens after which they pause."""
        return {int(trial.variant[-3:]): tokens for trial, tokens in self.look(**keywords).open}

    def settings(self):
        files = sorted(self.folder.path.glob("sweep/[0-9]*.json"))
        return [json.loads(file.read_text())["settings"] for file in files]

    def measure(self, number, step, bits):
        trial = next(one for one in self.agenda.trials if one.variant == f"sweep-{number:03d}")
        self.measured(self.folder, trial, {step: bits})

    def end(self, number, bits=None, state="finished"):
        record = {"variant": f"sweep-{number:03d}", "state": state, "message": "", "bits_per_byte": bits}
        atomic.write_json(self.folder.record_of(f"sweep-{number:03d}/seed-0"), record)


@pytest.fixture
def play(new_try, measured):
    def call(*, trials=6, sampler="tpe", pruner="none", axes=RATES):
        text = SWEEP.format(trials=trials, sampler=sampler, pruner=pruner, axes=axes)
        return Play(new_try(variants=text), measured)

    return call


def test_as_many_trials_are_asked_for_as_places_are_free(play):
    sweep = play()
    assert sweep.open(free=2) == {1: None, 2: None}
    taken = {"sweep-001/seed-0", "sweep-002/seed-0"}
    assert sweep.open(free=0, taken=taken) == {1: None, 2: None}
    sweep.end(1, 3.0)
    assert sweep.open(free=1, taken={"sweep-002/seed-0"}) == {2: None, 3: None}


def test_settings_are_written_before_a_trial_begins_and_stay(play):
    sweep = play()
    sweep.look(free=2)
    before = sweep.settings()
    sweep.agenda = sweep.new_agenda()
    assert sweep.open(free=2) == {1: None, 2: None}
    assert sweep.settings() == before
    assert len({one[RATE] for one in before}) == 2


def test_a_trial_that_another_process_has_is_left_to_it(play):
    sweep = play()
    sweep.look(free=1)
    claim = sweep.folder.claim_of("sweep-001/seed-0")
    with lock(claim) as holder:
        assert not holder
        assert sweep.open(free=1) == {1: None, 2: None}


def test_what_does_not_depend_on_results_is_asked_for_at_once(play):
    assert len(play(sampler="random").open(free=1)) == 6


def test_the_same_results_lead_to_the_same_settings_whatever_was_interrupted(play):
    sweep = play()
    for number in range(1, 7):
        sweep.agenda = sweep.new_agenda()
        sweep.look(free=1)
        sweep.end(number, 2.0 + sweep.settings()[-1][RATE])
    interrupted = sweep.settings()
    for file in sweep.folder.path.glob("sweep/*"):
        file.unlink()
    for number in range(1, 7):
        sweep.folder.record_of(f"sweep-{number:03d}/seed-0").unlink()
    sweep.agenda = sweep.new_agenda()
    for number in range(1, 7):
        sweep.look(free=1)
        sweep.end(number, 2.0 + sweep.settings()[-1][RATE])
    assert sweep.settings() == interrupted


def test_trials_pause_where_they_are_judged(play):
    sweep = play(pruner="halving", sampler="random", trials=3)
    assert sweep.open() == {1: QUARTER, 2: QUARTER, 3: QUARTER}
    sweep.measure(1, 10, 3.0)
    assert sweep.open() == {1: HALF, 2: QUARTER, 3: QUARTER}
    sweep.measure(1, 20, 2.5)
    assert sweep.open() == {1: None, 2: QUARTER, 3: QUARTER}


def test_the_worse_are_pruned_with_a_reason_and_do_not_go_on(play):
    sweep = play(pruner="halving", sampler="random", trials=3)
    sweep.look()
    sweep.measure(1, 10, 3.0)
    sweep.measure(2, 10, 3.5)
    found = sweep.look()
    assert [(trial.variant, reason) for trial, reason in found.pruned] == [
        (
            "sweep-002",
            "stopped at 25% of the training: 3.5000 held-out bits per byte, and the halving of those that came "
            "there is 3.0000",
        )
    ]
    sweep.end(2, state="pruned")
    assert sweep.open() == {1: HALF, 3: QUARTER}
    assert sweep.look().pruned == ()


def test_a_judgement_stands_whatever_others_come_to_later(play):
    sweep = play(pruner="halving", sampler="random", trials=3)
    sweep.look()
    sweep.measure(1, 10, 3.0)
    sweep.look()
    sweep.measure(2, 10, 2.0)
    sweep.measure(3, 10, 1.0)
    assert sweep.open() == {1: HALF, 2: HALF, 3: HALF}


def test_fractions_before_the_first_measurement_are_passed_over(play):
    """A batch of 192 tokens makes 20 steps, of which the tenth is measured first: half of the training."""
    sweep = play(pruner="median", sampler="grid", axes='"training.batch_tokens" = [96, 192]')
    assert sweep.open() == {1: QUARTER, 2: HALF}


def test_settings_that_make_no_recipe_fail_with_the_reason_and_the_rest_goes_on(play):
    """A minimum learning rate above the peak; both ends of the axis suit the base, whose peak is 4e-3."""
    sweep = play(sampler="random", trials=20, axes=f'{RATES}\n"training.minimum_learning_rate" = [3e-3, 4e-3]')
    opened = sweep.open()
    failed = [
        json.loads(file.read_text()) for file in sorted(sweep.folder.path.glob("trials/sweep-*/seed-0/trial.json"))
    ]
    assert 0 < len(failed) < 20
    assert len(opened) + len(failed) == 20
    assert all(one["state"] == "failed" for one in failed)
    assert "and at least minimum_learning_rate=0.00" in failed[0]["message"]


def test_the_best_are_chosen_once_when_all_have_ended(play):
    sweep = play(sampler="random", trials=3)
    sweep.look()
    for number, bits in ((1, 3.0), (2, 2.0)):
        sweep.end(number, bits)
    sweep.look()
    assert not sweep.agenda.is_over
    sweep.end(3, state="diverged")
    sweep.look()
    assert sweep.agenda.is_over
    chosen = read_confirmed(sweep.folder.path)
    assert [(one["variant"], one["number"]) for one in chosen] == [("sweep-1st", 2), ("sweep-2nd", 1)]
    assert sweep.look().open == ()


def test_variants_follow_the_sweep_and_the_confirmed_ones_join_them(play):
    sweep = play(sampler="random", trials=2)
    programme = Programme(sweep.attempt.ablation, sweep.folder, {})
    assert len(programme.expected) == 2 + 2 + 2 * 2
    first = [trial.folder_name for trial, _ in programme.look(1, ()).open]
    assert first == ["sweep-001/seed-0", "sweep-002/seed-0", "base/seed-1", "base/seed-2"]
    sweep.end(1, 3.0)
    sweep.end(2, 2.0)
    after = [trial.folder_name for trial, _ in programme.look(1, ()).open]
    assert after == [f"{name}/seed-{seed}" for seed in (1, 2) for name in ("base", "sweep-1st", "sweep-2nd")]
    again = Programme(sweep.attempt.ablation, sweep.folder, {})
    assert [trial.folder_name for trial in again.trials][2:] == after
    assert not again.has_ended
    recipes = {trial.variant: trial.recipe.training.peak_learning_rate for trial in again.trials}
    assert recipes["sweep-1st"] == recipes["sweep-002"] == sweep.settings()[1][RATE]
