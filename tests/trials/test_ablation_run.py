"""Whole ablations in processes of their own, disturbed in every way and held against one that nothing disturbed."""

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.errors import BadInput, Interrupted
from smidgen.records import manifest
from smidgen.records.atomic import TEMPORARY_PREFIX
from smidgen.stopping import StopRequest
from smidgen.trials.ablation_run import claim_folder
from smidgen.trials.watcher import AblationWatcher

from .conftest import read

# What differs between equal trials: time.
INCIDENTAL = ("seconds", "tokens_per_second")


def lasting(records):
    """What must be the same, whatever happened on the way."""
    return {
        name: {key: value for key, value in record.items() if key not in INCIDENTAL}
        for name, record in records.items()
    }


def weights(attempt, name):
    checkpoint, _ = newest_checkpoint(attempt.folder.run_of(name).checkpoints)
    return (checkpoint.path / "model.safetensors").read_bytes()


def assert_equal(attempt, other):
    records = attempt.records()
    assert lasting(records) == lasting(other.records())
    for name, record in records.items():
        if record["state"] == "finished":
            assert weights(attempt, name) == weights(other, name), name


class Listener(AblationWatcher):
    """Remembers what it was told."""

    def __init__(self):
        self.notices, self.begun, self.ends, self.forecasts = [], [], [], []

    def planned(self, forecast):
        self.forecasts.append(forecast)

    def started(self, trial):
        self.begun.append(trial)

    def ended(self, trial, record):
        self.ends.append(trial)

    def noticed(self, message):
        self.notices.append(message)


def worker_of(attempt, trial):
    """The process that has the lock of a trial."""
    return int(attempt.folder.claim_of(trial).read_text())


class Killer(Listener):
    """Kills each of some trials' workers so many times, each time some events after its start."""

    def __init__(self, attempt, kills, seed=0, latest=7):
        super().__init__()
        self.attempt, self.kills, self.random, self.latest = attempt, dict(kills), random.Random(seed), latest
        self.events = {}

    def started(self, trial):
        super().started(trial)
        # The four stages before training, some reports of it, and the evaluation.
        self.events[trial] = self.random.randint(1, self.latest)

    def told(self, trial, event):
        self.events[trial] -= 1
        if self.kills.get(trial) and self.events[trial] == 0:
            self.kills[trial] -= 1
            os.kill(worker_of(self.attempt, trial), signal.SIGKILL)


def test_every_trial_ends_as_an_ordinary_run_with_its_scores(finished):
    records = finished.records()
    assert set(records) == {f"{variant}/seed-{seed}" for variant in ("base", "quick") for seed in (1, 2)}
    assert {record["state"] for record in records.values()} == {"finished"}
    assert len({record["bits_per_byte"] for record in records.values()}) == 4
    for name, record in records.items():
        run = finished.folder.run_of(name)
        assert record["step"] == 40
        assert (
            record["bits_per_byte"]
            == read(run.scores / "recipe.json")["scores"]["bits-per-byte"]["bits_per_byte"]["value"]
        )
        assert run.stored_recipe()["training"]["seed"] == int(name[-1])


def test_tokenizer_and_shards_are_built_once_with_the_seed_of_the_base(finished):
    [store] = (finished.folder.path / "shared").iterdir()
    assert read(store / "data" / "index.json")["seed"] == finished.ablation.base.recipe.training.seed
    for trial in finished.trials:
        run = finished.folder.run_of(trial.folder_name)
        assert run.data.readlink() == Path("../../../shared") / store.name / "data"
        assert run.tokenizer.resolve() == store / "tokenizer"


def test_every_hash_below_the_folder_holds(finished):
    checked, failed = manifest.verify_tree(finished.folder.path)
    assert failed == []
    assert checked > 30


def test_a_folder_that_was_moved_goes_on_with_what_was_added(finished, new_try, tmp_path):
    shutil.copytree(finished.folder.path, tmp_path / "run", symlinks=True)
    again = new_try(seeds=3)
    listener = Listener()
    again.run(listener)
    assert sorted(listener.begun) == sorted(listener.ends) == ["base/seed-3", "quick/seed-3"]
    assert (listener.forecasts[0].trials, listener.forecasts[0].ended) == (6, 4)
    records = again.records()
    assert lasting({name: records[name] for name in finished.records()}) == lasting(finished.records())
    assert (again.folder.path / "ablation.toml").read_bytes() == again.file.read_bytes()


def test_a_finished_ablation_starts_no_process(finished, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    finished.run()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": "tokens = 4_800"}, "its budget was"),
        ({"variants": '[variants.slow]\n"training.peak_learning_rate" = 1e-4'}, "variant quick, which"),
    ],
)
def test_another_definition_is_refused_and_changes_nothing(finished, new_try, changes, message):
    other = new_try(folder=finished.folder, **changes)
    before = finished.folder.definition.read_bytes()
    with pytest.raises(BadInput, match=message):
        other.run()
    assert finished.folder.definition.read_bytes() == before


def test_a_folder_of_something_else_is_refused(new_try):
    other = new_try()
    other.folder.path.mkdir()
    (other.folder.path / "thesis.tex").write_text("mine")
    with pytest.raises(BadInput, match="no ablation's folder"):
        other.run()


def test_workers_that_are_killed_lose_nothing(finished, new_try):
    """Each of them once, at a random event of its life."""
    attempt = new_try()
    kills = {trial.folder_name: 1 for trial in attempt.trials}
    killer = Killer(attempt, kills, seed=5)
    attempt.run(killer)
    killed = sum(kills.values()) - sum(killer.kills.values())
    assert killed >= 3
    assert sum("ended by SIGKILL" in notice for notice in killer.notices) == killed
    assert_equal(attempt, finished)


def test_a_server_that_is_killed_is_replaced(finished, new_try):
    attempt = new_try()

    class KillsServer(Listener):
        def told(self, trial, event):
            if event["event"] == "progress" and not self.notices:
                self.notices.append("killed")
                parent = Path(f"/proc/{worker_of(attempt, trial)}/stat").read_text().rpartition(")")[2].split()[1]
                os.kill(int(parent), signal.SIGKILL)

    listener = KillsServer()
    attempt.run(listener)
    assert len(listener.begun) > 4
    assert_equal(attempt, finished)


def test_a_trial_whose_workers_keep_dying_fails_and_the_others_go_on(finished, new_try):
    attempt = new_try()
    # Early, because a trial that is gone on with near its end has few events left.
    killer = Killer(attempt, {"quick/seed-1": 9}, latest=2)
    attempt.run(killer)
    records = attempt.records()
    assert records["quick/seed-1"]["state"] == "failed"
    assert "ended 2 times without a word" in records["quick/seed-1"]["message"]
    assert killer.begun.count("quick/seed-1") == 2
    del records["quick/seed-1"]
    assert lasting(records) == lasting({name: finished.records()[name] for name in records})


@pytest.mark.parametrize("reason", ["signal", "time"])
def test_a_stop_saves_all_and_the_same_call_goes_on(finished, new_try, reason):
    attempt = new_try()
    request = StopRequest()

    class Stops(Listener):
        def told(self, trial, event):
            if event["event"] == "progress":
                request.reason = reason

    attempt.run(Stops(), stop_requested=request)
    assert not attempt.folder.all_ended(attempt.trials)
    steps = [
        newest_checkpoint(attempt.folder.run_of(name).checkpoints)[0] for name in ("base/seed-1", "quick/seed-1")
    ]
    assert any(steps)
    attempt.run()
    assert_equal(attempt, finished)


def test_a_stop_before_the_trials_is_told_as_one(new_try):
    attempt = new_try()
    with pytest.raises(Interrupted, match="before the trials began"):
        attempt.run(stop_requested=StopRequest(max_seconds=0))


def test_a_training_that_diverges_is_an_end_like_others(new_try):
    wild = '[variants.wild]\n"training.peak_learning_rate" = 1e4\n"training.divergence_patience" = 3'
    attempt = new_try(variants=wild)
    attempt.run()
    records = attempt.records()
    assert {records[f"wild/seed-{seed}"]["state"] for seed in (1, 2)} == {"diverged"}
    assert "loss" in records["wild/seed-1"]["message"]
    assert records["base/seed-2"]["state"] == "finished"


def test_text_that_is_too_short_stops_all_before_anything_is_trained(new_try, tmp_path):
    short = tmp_path / "short.txt"
    short.write_text("A few words, and no more.")
    attempt = new_try(variants=f'[variants.short]\n"data.sources" = {{ tales = {{ files = ["{short}"] }} }}')
    with pytest.raises(BadInput, match="source 'tales' has 1 document"):
        attempt.run()
    assert not list(attempt.folder.path.glob("trials/*"))
    # No trial has begun, so that the definition may be mended.
    mended = new_try()
    claim_folder(mended.folder, mended.ablation, mended.file)
    assert read(mended.folder.definition)["variants"][0]["name"] == "quick"


def test_a_folder_that_another_process_claims_at_the_same_moment_is_the_same_ablations(new_try, monkeypatch):
    attempt = new_try()
    claims = []

    def read_while_another_writes(path):
        stored = read_record(path)
        if not claims:
            claims.append("the other's")
            claim_folder(attempt.folder, attempt.ablation, attempt.file)
        return stored

    read_record = manifest.read_record
    monkeypatch.setattr(manifest, "read_record", read_while_another_writes)
    claim_folder(attempt.folder, attempt.ablation, attempt.file)
    assert claims
    assert attempt.folder.source.read_bytes() == attempt.file.read_bytes()


def test_a_folder_that_another_process_has_just_begun_to_write_to_is_no_strangers(new_try):
    attempt = new_try()
    attempt.folder.path.mkdir(parents=True, exist_ok=True)
    (attempt.folder.path / f"{TEMPORARY_PREFIX}definition.json-1").touch()
    claim_folder(attempt.folder, attempt.ablation, attempt.file)
    (attempt.folder.path / "definition.json").unlink()
    with pytest.raises(BadInput, match="is no ablation's folder"):
        claim_folder(attempt.folder, attempt.ablation, attempt.file)


def test_a_trial_that_cannot_be_gone_on_with_is_named_and_the_others_are_saved(finished, new_try, tmp_path):
    shutil.copytree(finished.folder.path, tmp_path / "run", symlinks=True)
    attempt = new_try()
    attempt.folder.record_of("quick/seed-2").unlink()
    (attempt.folder.run_of("quick/seed-2").path / "recipe.json").write_text("{}")
    with pytest.raises(BadInput, match=r"trial quick/seed-2: .*recipe\.json is damaged"):
        attempt.run()
    assert (
        lasting({"base/seed-1": read(attempt.folder.record_of("base/seed-1"))}).items()
        <= lasting(finished.records()).items()
    )


def test_halving_ends_the_worse_half_early_whatever_is_killed(new_try):
    variants = "\n".join(
        f'[variants.{name}]\n"training.peak_learning_rate" = {rate}' for name, rate in (("a", 1e-5), ("b", 1e-2))
    )
    attempt = new_try(variants=f"{variants}\n[halving]\nat = [0.25]")
    killer = Killer(attempt, {"a/seed-1": 1, "b/seed-2": 1, "base/seed-1": 1})
    attempt.run(killer)
    records = attempt.records()
    assert {name: record["state"] for name, record in records.items()} == {
        name: "halved" if name.startswith("a/") else "finished" for name in records
    }
    assert records["a/seed-1"]["step"] == 10
    assert "place 2 of 2" in records["a/seed-2"]["message"]


def test_variants_with_other_vocabularies_train_on_the_same_bytes(new_try):
    variants = '[variants.smaller]\n"design.vocab_size" = 270'
    attempt = new_try(variants=variants, budget='equal = "bytes"\nbytes = 12_000')
    attempt.run()
    records = attempt.records()
    rates = read(attempt.folder.rates)
    assert rates["base"] < rates["smaller"] < 1
    assert {record["state"] for record in records.values()} == {"finished"}
    assert records["base/seed-1"]["tokens"] < records["smaller/seed-1"]["tokens"]
    # Whole steps, and a mean over samples instead of over the shards.
    for record in records.values():
        assert record["text_bytes"] == pytest.approx(12_000, rel=0.1)


def test_seconds_are_turned_into_tokens_by_speeds_that_are_measured_once(new_try, monkeypatch):
    from smidgen.lab.ablation.trial import plan_trials

    variants = '[variants.wide]\n"design.intermediate_size" = 200'
    attempt = new_try(variants=variants, budget='equal = "seconds"\nseconds = 0.2')
    listener = Listener()
    attempt.run(listener)
    rates = read(attempt.folder.rates)
    assert set(rates) == {"base", "wide"}
    assert min(rates.values()) > 0
    tokens = {trial.variant: trial.recipe.training.tokens for trial in plan_trials(attempt.ablation, rates)}
    assert tokens == {name: int(0.2 * rate) for name, rate in rates.items()}
    assert listener.forecasts[0].seconds == pytest.approx(0.4, rel=0.1)
    before = attempt.folder.rates.read_bytes()
    attempt.run()
    assert attempt.folder.rates.read_bytes() == before
