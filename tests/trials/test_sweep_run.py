"""A whole sweep with its confirmation, in processes of its own, undisturbed and killed."""

import os
import signal

import pytest

from smidgen.lab.ablation.sweep_outcome import read_confirmed, read_sweep_trials
from smidgen.trials.conclusion import conclude
from smidgen.trials.watcher import AblationWatcher

SWEEP = """
[sweep]
trials = 4
confirm = 1
pruner = "halving"
[sweep.axes]
"training.peak_learning_rate" = { low = 1e-3, high = 2e-2, log = true }
"training.batch_tokens" = [96, 128]
"""


class KillsOnce(AblationWatcher):
    """Kills the worker of each of the first three trials in the middle of its training."""

    def __init__(self, folder):
        self.folder, self.killed = folder, set()

    def told(self, trial, event):
        if event["event"] == "progress" and trial not in self.killed and len(self.killed) < 3:
            self.killed.add(trial)
            os.kill(int(self.folder.claim_of(trial).read_text()), signal.SIGKILL)


@pytest.fixture(scope="module")
def undisturbed(write_ablation, tmp_path_factory):
    from smidgen.trials.folder import AblationFolder

    from .conftest import Try

    place = tmp_path_factory.mktemp("sweep")
    done = Try(file=write_ablation(place / "small.toml", variants=SWEEP), folder=AblationFolder(place / "run"))
    done.run(workers=1)
    return done


def outcomes(attempt):
    trials = read_sweep_trials(attempt.folder.path, attempt.ablation.sweep)
    return [(one.number, one.settings, one.judgements, one.state, one.bits_per_byte) for one in trials]


def test_the_best_settings_are_confirmed_under_other_seeds_and_get_a_verdict(undisturbed):
    result = conclude(undisturbed.ablation, undisturbed.folder.path, noise=None, watcher=AblationWatcher())
    assert result["finished"]
    assert [variant["name"] for variant in result["variants"]] == ["base", "sweep-1st"]
    assert [verdict["variant"] for verdict in result["verdicts"]] == ["sweep-1st"]
    swept = result["sweep"]
    assert len(swept["trials"]) == 4
    assert {trial["state"] for trial in swept["trials"]} <= {"finished", "pruned"}
    assert swept["best"]["settings"] == result["variants"][1]["settings"]
    assert result["fingerprint"] == undisturbed.ablation.fingerprint
    page = (undisturbed.folder.path / "report" / "index.html").read_text()
    assert 'id="sweep"' in page
    for trial in swept["trials"]:
        run = undisturbed.folder.run_of(trial["folder"].removeprefix("trials/"))
        assert run.stored_recipe()["training"]["seed"] == 0
        assert run.stored_recipe()["evaluation"]["tasks"] == ["bits-per-byte"]


def test_workers_that_are_killed_change_no_setting_and_no_result(undisturbed, new_try):
    attempt = new_try(variants=SWEEP)
    killer = KillsOnce(attempt.folder)
    attempt.run(killer, workers=1)
    assert len(killer.killed) == 3
    assert outcomes(attempt) == outcomes(undisturbed)
    assert read_confirmed(attempt.folder.path) == read_confirmed(undisturbed.folder.path)
