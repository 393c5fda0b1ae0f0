"""Trials in this very process, alone and together."""

import shutil

import pytest
import torch

from smidgen.records.run_lock import lock
from smidgen.stopping import StopRequest
from smidgen.trials import trial_run
from smidgen.trials.job import Job, Work
from smidgen.trials.store import assign_stores
from smidgen.trials.trial_run import run_trials

from .conftest import read


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def attempt(finished, new_try, tmp_path):
    """The finished ablation's store, and none of its trials."""
    (tmp_path / "run").mkdir()
    shutil.copytree(finished.folder.shared, tmp_path / "run" / "shared")
    return new_try()


def job_of(attempt, names, max_tokens=None):
    stores = assign_stores(attempt.trials, attempt.folder.shared)
    works = {
        trial.folder_name: Work(
            name=trial.folder_name,
            recipe=trial.recipe.as_dict(),
            store=str(stores[trial.folder_name].path),
            variant=trial.variant,
            seed=trial.seed,
            scale=trial.scale,
            max_tokens=max_tokens,
        )
        for trial in attempt.trials
    }
    return Job(
        kind="trials", folder=str(attempt.folder.path), device="cpu", works=tuple(works[name] for name in names)
    )


def carried_out(job, request=None):
    """How the trials stand, and which were taken."""
    taken = []

    def tell(event, **values):
        if event == "taken":
            taken.extend(values["names"])

    return run_trials(job, tell, request or StopRequest())["states"], taken


ALL = ("base/seed-1", "quick/seed-1", "base/seed-2", "quick/seed-2")


def test_where_stacks_do_not_pay_the_first_trial_is_taken_and_the_others_are_left(attempt, finished, monkeypatch):
    monkeypatch.setattr(trial_run, "stacking_pays", lambda *_: False)
    states, taken = carried_out(job_of(attempt, ALL))
    assert (states, taken) == ({"base/seed-1": "ended"}, ["base/seed-1"])
    [mine, theirs] = (read(one.folder.record_of("base/seed-1")) for one in (attempt, finished))
    assert mine["bits_per_byte"] == theirs["bits_per_byte"]


def test_a_trial_that_somebody_has_is_busy_and_one_that_ended_is_not_repeated(attempt):
    job = job_of(attempt, ALL[:1], max_tokens=96)
    path = attempt.folder.claim_of(ALL[0])
    path.parent.mkdir()
    with lock(path):
        assert carried_out(job) == ({ALL[0]: "busy"}, [])
    assert carried_out(job) == ({ALL[0]: "paused"}, [ALL[0]])
    attempt.folder.record_of(ALL[0]).write_text("{}")
    assert carried_out(job) == ({ALL[0]: "ended"}, [])


def test_trials_that_are_trained_together_come_to_the_same_as_alone(attempt, finished, monkeypatch):
    monkeypatch.setattr(trial_run, "stacking_pays", lambda recipe, device, count: count == 4)
    states, taken = carried_out(job_of(attempt, ALL))
    assert taken == list(ALL)
    assert set(states.values()) == {"ended"}
    alone, together = finished.records(), attempt.records()
    for name in ALL:
        assert together[name]["step"] == alone[name]["step"]
        # Rounding has grown over 40 steps at a high learning rate; seeds differ by a hundred times as much.
        assert together[name]["bits_per_byte"] == pytest.approx(alone[name]["bits_per_byte"], abs=1e-3)
    assert len({record["bits_per_byte"] for record in together.values()}) == 4


def test_together_some_pause_and_go_on_and_one_that_diverges_ends_alone(new_try, finished, monkeypatch, tmp_path):
    (tmp_path / "run").mkdir()
    shutil.copytree(finished.folder.shared, tmp_path / "run" / "shared")
    wild = '[variants.wild]\n"training.peak_learning_rate" = 1e4\n"training.divergence_patience" = 3'
    attempt = new_try(variants=wild)
    monkeypatch.setattr(trial_run, "stacking_pays", lambda *_: True)
    names = ("base/seed-1", "wild/seed-1")
    first, _ = carried_out(job_of(attempt, names, max_tokens=1_920))
    assert first == {"base/seed-1": "paused", "wild/seed-1": "ended"}
    second, _ = carried_out(job_of(attempt, names))
    assert second == {"base/seed-1": "ended"}
    records = {name: attempt.folder.record_of(name).read_text() for name in names}
    assert '"diverged"' in records["wild/seed-1"]
    assert '"finished"' in records["base/seed-1"]
