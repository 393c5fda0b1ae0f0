"""Training over several processes of this machine, which torchrun and ``--processes`` start."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.recipes.ownership import claim
from smidgen.records import measurements
from smidgen.records.run_folder import RunFolder

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
# Uninterrupted, on other numbers of ranks, stopped by one of them, and with one thing going wrong on rank 1.
JOBS = (
    {"name": "two", "ranks": 2},
    {"name": "four", "ranks": 4},
    {"name": "three", "ranks": 3, "max_tokens": 8 * 512},
    {"name": "three", "ranks": 2, "name_of_sitting": "then-two"},
    {"name": "stopped", "ranks": 2, "stop_after": 7},
    {"name": "stopped", "ranks": 2, "name_of_sitting": "then-on"},
    {"name": "infinity", "ranks": 2, "fault": "infinity", "at": 4},
    {"name": "drift", "ranks": 2, "fault": "drift", "at": 8},
    {"name": "memory", "ranks": 4, "fault": "memory", "at": 3},
    {"name": "silence", "ranks": 3, "fault": "silence", "at": 6},
)


def free_port():
    with socket.socket() as opened:
        opened.bind(("localhost", 0))
        return opened.getsockname()[1]


def sitting_of(job):
    return job.get("name_of_sitting", job["name"])


class Sitting:
    """What the ranks of one job noted, by rank."""

    def __init__(self, folder, job):
        self.run = RunFolder(folder / job["name"])
        files = [Path(f"{self.run.path}-{sitting_of(job)}-{rank}.json") for rank in range(job["ranks"])]
        noted = [json.loads(file.read_text()) for file in files]
        self.ended = [each["ended"] for each in noted]
        self._samples = [each["samples"] for each in noted]

    @property
    def samples(self):
        """The samples of each step, put together in the order of the ranks."""
        steps = zip(*self._samples, strict=True)
        return [[tuple(sample) for part in parts for sample in part] for parts in steps]


@pytest.fixture(scope="module")
def sittings(prepared, tiny_recipe, tmp_path_factory, worker_id):
    """All of JOBS, by name, from a single torchrun, which the processes of the tests share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "ranks"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            train_all(folder, prepared, tiny_recipe)
    return {sitting_of(job): Sitting(folder, job) for job in JOBS}


def train_all(folder, prepared, recipe):
    jobs = [{**job, "run": str(folder / job["name"]), "name": sitting_of(job), "port": free_port()} for job in JOBS]
    work = {"data": str(prepared.data), "recipe": recipe.as_dict(), "jobs": jobs}
    (folder / "jobs.json").write_text(json.dumps(work))
    words = ["4", Path(__file__).with_name("rank_worker.py"), folder / "jobs.json"]
    done = subprocess.run([sys.executable, *TORCHRUN, *words], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def alone(prepared, tiny_recipe, training_data, tmp_path_factory):
    """The same training in one process: its run, and the samples of every step."""
    from smidgen.training.trainer import Trainer, train

    torch.set_num_threads(1)
    run = RunFolder(tmp_path_factory.mktemp("alone") / "run")
    run.path.mkdir()
    train(tiny_recipe, run, training_data, tiny_recipe.design, device=torch.device("cpu"))
    trainer = Trainer(tiny_recipe, run, training_data, tiny_recipe.design, device=torch.device("cpu"))
    plan, order = trainer.plan, trainer.order
    samples = [order.batch(plan.sequences_before(step), plan.step_sequences(step)) for step in range(plan.steps)]
    return run, samples


def losses(run):
    return [line["loss"] for line in measurements.read(run.measurements, measurements.TRAINING)]


def held_out(run):
    return [line["bits_per_byte"] for line in measurements.read(run.measurements, measurements.HELD_OUT)]


def events(run):
    return [line["message"] for line in measurements.read(run.measurements, measurements.EVENT)]


def bits(run):
    checkpoint, notices = newest_checkpoint(run.checkpoints)
    assert notices == []
    return {file.name: file.read_bytes() for file in checkpoint.path.glob("*.safetensors")}


@pytest.mark.parametrize("name", ["two", "four"])
def test_any_number_of_ranks_takes_the_same_samples_to_the_same_losses(sittings, alone, name):
    run, samples = alone
    sitting = sittings[name]
    assert sitting.samples == samples
    assert len(losses(run)) == 20
    assert losses(sitting.run) == pytest.approx(losses(run), abs=1e-5)
    assert held_out(sitting.run) == pytest.approx(held_out(run), abs=1e-5)
    assert events(sitting.run) == []
    assert {ended["loss"] for ended in sitting.ended} == {losses(sitting.run)[-1]}


def test_uneven_parts_count_for_what_they_are_and_another_number_of_ranks_goes_on(sittings, alone):
    run, samples = alone
    first, then = sittings["three"], sittings["then-two"]
    assert (first.samples, then.samples) == (samples[:8], samples[8:])
    assert losses(then.run) == pytest.approx(losses(run), abs=1e-5)
    uneven, changed = events(then.run)
    assert uneven.startswith("16 sequences a step do not divide over 3 ranks")
    assert uneven.endswith("training.batch_tokens=480 would divide")
    assert changed.startswith("continuing with another micro batch, number of ranks: ")
    assert changed.endswith("will not be bit-identical")


def test_a_stop_that_one_rank_is_asked_for_ends_all_at_the_same_step_and_costs_no_bit(sittings, alone):
    stopped, then = sittings["stopped"], sittings["then-on"]
    assert [ended["step"] for ended in stopped.ended] == [7, 7]
    assert stopped.samples + then.samples == alone[1]
    assert bits(then.run) == bits(sittings["two"].run)
    assert losses(then.run) == losses(sittings["two"].run)


def test_a_gradient_that_is_infinite_on_one_rank_is_skipped_by_all(sittings):
    sitting = sittings["infinity"]
    assert [ended["finished"] for ended in sitting.ended] == [True, True]
    (event,) = events(sitting.run)
    assert event == "loss or gradient is not finite (samples 48 to 63); the step was skipped"
    assert len(losses(sitting.run)) == 19
    assert newest_checkpoint(sitting.run.checkpoints)[0].state["updates"] == 19


def test_weights_that_drift_apart_stop_the_run_before_they_are_saved(sittings):
    sitting = sittings["drift"]
    assert [ended["error"] for ended in sitting.ended] == ["CheckFailed", "CheckFailed"]
    assert "at step 10 differ between rank 0 and rank 1" in sitting.ended[0]["sentence"]
    assert newest_checkpoint(sitting.run.checkpoints)[0].step == 5


def test_all_ranks_end_with_the_error_of_one(sittings):
    sitting = sittings["memory"]
    assert [ended["error"] for ended in sitting.ended] == ["OutOfResources"] * 4
    assert sitting.ended[0]["sentence"] == "rank 1: memory ran out"
    assert [ended["elsewhere"] for ended in sitting.ended] == [False, True, True, True]


def test_a_rank_that_does_not_come_is_named(sittings):
    sitting = sittings["silence"]
    for rank in (0, 2):
        assert sitting.ended[rank]["error"] == "RankLost"
        assert "checkpoints are intact" in sitting.ended[rank]["sentence"]
    sentences = [sitting.ended[rank]["sentence"] for rank in (0, 2)]
    assert any(sentence.startswith("rank 1 did not come: ") for sentence in sentences), sentences
    assert newest_checkpoint(sitting.run.checkpoints)[0].step == 5


# The commands themselves.


@pytest.fixture
def long_run(prepared, tiny_recipe, tmp_path):
    """A run that takes a while, ready to be trained, and how to train it."""
    started = []

    def call(*launcher, words=(), steps=3000):
        run = RunFolder(tmp_path / "run")
        if not run.exists:
            training = replace(tiny_recipe.training, tokens=512 * steps, checkpoint_steps=50, held_out_steps=steps)
            claim(run, replace(tiny_recipe, training=training))
            for folder in ("tokenizer", "data"):
                shutil.copytree(prepared.path / folder, run.path / folder)
        command = [*launcher, "-m", "smidgen", "train", "--resume", run.path, "--json", *words]
        process = subprocess.Popen(
            [sys.executable, *command],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return run, process

    yield call
    for process in started:
        # Not killed, because it ends its workers.
        process.terminate()
        process.communicate()


def workers_of(launcher):
    """The processes that a launcher started, by rank."""
    found = {}
    for child in Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split():
        variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        found |= {int(text[5:]): int(child) for text in variables if text.startswith(b"RANK=")}
    return found


def wait_for_steps(run, steps, process):
    deadline = time.monotonic() + 60
    while len(losses(run)) < steps:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_torchrun_restarts_from_the_newest_checkpoint_after_a_killed_rank(long_run):
    run, process = long_run(*TORCHRUN, "2", "--max-restarts", "1", steps=400)
    wait_for_steps(run, 30, process)
    killed = workers_of(process)
    assert killed.keys() == {0, 1}
    os.kill(killed[1], signal.SIGKILL)
    printed, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    (result,) = [json.loads(line) for line in printed.splitlines()]
    assert (result["step"], result["finished"]) == (400, True)
    assert "Traceback" not in told
    steps = [json.loads(line)["step"] for line in run.measurements.read_text().splitlines()]
    assert steps != sorted(steps), "the steps between the checkpoint and the kill were trained twice"


def test_a_signal_to_the_launcher_ends_all_ranks_saved_and_with_its_exit_code(long_run):
    run, process = long_run(words=("--processes", "2"), steps=20_000)
    wait_for_steps(run, 2, process)
    process.send_signal(signal.SIGTERM)
    printed, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert told.count("error: stopped on request: the checkpoint is saved") == 1
    result = json.loads(printed)
    assert not result["finished"]
    assert newest_checkpoint(run.checkpoints)[0].step == result["step"]
    assert result["step"] > 100
