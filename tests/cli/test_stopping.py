"""Runs in processes of their own that are interrupted, killed and continued."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.records.run_folder import RunFolder

LONG = ["--set", "training.tokens=512_000", "--set", "training.checkpoint_steps=50"]


def wait_for(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def training_steps(run):
    lines = run.measurements.read_text().splitlines() if run.measurements.exists() else []
    return len(lines)


def final_weights(run):
    return newest_checkpoint(run.checkpoints)[0].tensors("model")


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "run")


@pytest.fixture
def start(start_smidgen, run, tiny_options):
    def call(*more):
        return start_smidgen("train", "quickstart", "--out", run.path, *tiny_options, *LONG, *more)

    return call


def test_ctrl_c_saves_says_how_to_go_on_and_exits_with_130(start, run):
    process = start()
    wait_for(lambda: training_steps(run) > 3, process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert "the checkpoint is saved; repeat the command" in output
    assert "Traceback" not in output
    checkpoint, _ = newest_checkpoint(run.checkpoints)
    assert checkpoint.step > 3


def test_a_terminated_run_saves_too(start, run):
    process = start()
    wait_for(lambda: training_steps(run) > 3, process)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert newest_checkpoint(run.checkpoints)[0].step > 3


def test_a_spent_time_budget_saves_and_exits_with_75(start, run):
    # Enough for the slowest start, and far less than training takes.
    process = start("--max-seconds", "15", "--json", "--set", "training.tokens=2_048_000")
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 75, output
    result = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    assert not result["finished"]
    assert "time of --max-seconds is spent" in output


def test_a_run_killed_twice_ends_with_the_same_bits(start_smidgen, run, tmp_path, tiny_options):
    """kill -9, in the middle of training, and the same command again."""
    sets = [*tiny_options, "--set", "training.tokens=81_920", "--set", "training.checkpoint_steps=20"]
    for after in (30, 90):
        process = start_smidgen("train", "quickstart", "--out", run.path, *sets)
        wait_for(lambda after=after: training_steps(run) > after, process)
        process.kill()
        process.wait()
    straight = RunFolder(tmp_path / "straight")
    for folder in (run, straight):
        words = ["train", "quickstart", "--out", str(folder.path), *sets]
        subprocess.run(
            [sys.executable, "-m", "smidgen", *words],
            check=True,
            capture_output=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    for name, value in final_weights(straight).items():
        assert torch.equal(value, final_weights(run)[name]), name


@pytest.mark.parametrize(("kind", "ending"), [("run", signal.SIGINT), ("export", signal.SIGKILL)])
def test_an_evaluation_that_was_ended_goes_on_where_it_was(
    smidgen, start_smidgen, finished_run, tmp_path, kind, ending
):
    """A run's score file and its unfinished tasks lie in the run, those of another model beside the registry."""
    model, registry = tmp_path / "model", tmp_path / "registry" / "scores.sqlite"
    shutil.copytree(finished_run.path if kind == "run" else finished_run.exports / "hf", model)
    place = model / "scores" if kind == "run" else registry.parent
    # The first task takes moments, the second some seconds.
    command = ["evaluate", model, "--tasks", "arithmark2-generated:40,minimal-pairs:150", "--registry", registry]
    process = start_smidgen(*command)
    wait_for(lambda: list(place.glob(".*.unfinished/*.z")), process)
    process.send_signal(ending)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == (130 if ending == signal.SIGINT else -9), output
    assert ("1 of 2 tasks finished; repeat the command to go on" in output) == (ending == signal.SIGINT)

    again = smidgen(*command, "--json")
    assert "1 of 2 tasks were scored before; going on" in again.err
    straight = smidgen(*command, "--json", "--out", tmp_path / "straight.json")
    varying = {"seconds", "items_per_second"}
    assert {key: again.json[key] for key in again.json if key not in varying} == {
        key: straight.json[key] for key in straight.json if key not in varying
    }
    assert not list(place.glob(".*.unfinished"))


def test_time_that_is_spent_before_training_is_a_resource_too(smidgen, run, tiny_options):
    outcome = smidgen("train", "quickstart", "--out", run.path, "--max-seconds", "0", "--json", *tiny_options)
    assert outcome.code == 75
    assert "stopped after the stage design; repeat the command" in outcome.err
