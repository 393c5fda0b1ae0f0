"""SIGINT and SIGTERM at random moments of tokenising, training, saving and evaluating."""

import json
import random
import shutil
import signal
import time
from collections import Counter

import pytest

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.records import manifest

from .processes import Mark, wait_until
from .trained import final_state

INTERRUPTED = 130
# A step takes milliseconds here, so this is all there is; a machine that is busy with other work gets the same again.
SECONDS = 2.0
BUSY_MACHINE_SECONDS = 2.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupter:
    """Sends signals to processes, and holds them to ending soon, in order and with the right code."""

    def __init__(self, draw):
        self.draw = draw
        self.sent = Counter()
        self.slowest_seconds = 0.0
        self.inside_a_save = self.told = 0

    def interrupt(self, process, moment=lambda: None, mark=None):
        """Whether the process was still at work at that moment; it has ended afterwards in any case."""
        moment()
        if not process.running:
            assert process.wait() == 0, process.said
            return False
        number = self.draw.choice(SIGNALS)
        inside_a_save = mark is not None and mark.saving
        started = time.monotonic()
        process.send(number)
        code = process.wait()
        seconds = time.monotonic() - started
        if code in (0, -number):
            # It was done but for leaving, when nobody listens any more; whoever asks looks at what it made.
            return False
        assert code == INTERRUPTED, process.said
        assert "Traceback" not in process.said
        # Before the work begins there is nothing to tell; typer ends the command then.
        self.told += "\nerror: " in f"\n{process.said}"
        assert seconds < SECONDS + BUSY_MACHINE_SECONDS
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        self.sent[number.name] += 1
        self.inside_a_save += inside_a_save
        return True

    def after(self, seconds):
        """A moment of a command that takes so long; not its first 20 ms, before which nobody listens yet."""
        return lambda: time.sleep(self.draw.uniform(0.02, seconds))


def seconds_of(process):
    started = time.monotonic()
    assert process.wait() == 0, process.said
    return time.monotonic() - started


@pytest.fixture
def interrupter():
    return Interrupter(random.Random(17))


@pytest.fixture
def report(no_failures, interrupter):
    def call(what):
        sent = ", ".join(f"{count} {name}" for name, count in sorted(interrupter.sent.items()))
        saves = f", {interrupter.inside_a_save} inside a save" if interrupter.inside_a_save else ""
        trials = interrupter.sent.total()
        assert interrupter.told >= trials // 3
        slowest = f"the slowest end took {interrupter.slowest_seconds:.2f} s"
        no_failures(f"signals while {what}", trials, f"{sent}{saves}; {slowest}")

    return call


def test_interrupted_training_ends_with_the_bits_of_an_uninterrupted_one(
    new_run, processes, interrupter, tmp_path, trials, report
):
    """Half of the signals at any moment from the start of the command on, half inside a save."""
    settings = {"tokens": 96 * 60, "checkpoint_steps": 1}
    straight = new_run(**settings)
    seconds = seconds_of(processes.smidgen("train", "--resume", straight.path))
    wanted = trials(12, 50)
    run, number = new_run(**settings), 0
    while interrupter.sent.total() < wanted:
        number += 1
        mark = Mark(tmp_path / f"mark-{number}")
        process = processes.smidgen("train", "--resume", run.path, mark=str(mark.path))
        # A training that sits long enough would be done before enough signals came.
        moment = interrupter.after(seconds)
        if number % 2:
            moment = lambda process=process, mark=mark: wait_until(lambda: mark.saving, process)  # noqa: E731
        interrupted = interrupter.interrupt(process, moment, mark)
        checkpoint, notices = newest_checkpoint(run.checkpoints)
        assert notices == []
        assert (checkpoint.step if checkpoint else 0) >= mark.saved_step
        assert not list(run.path.rglob(".unfinished-*"))
        if not interrupted:
            assert final_state(run) == final_state(straight)
            run = new_run(**settings)
    last = processes.smidgen("train", "--resume", run.path)
    assert last.wait() == 0, last.said
    assert final_state(run) == final_state(straight)
    assert interrupter.inside_a_save >= wanted // 5
    report("training and saving")


def shard_hashes(folder):
    return manifest.read_record(folder / manifest.FILES_NAME)


def test_interrupted_tokenising_leaves_nothing_half_done(
    new_run, processes, interrupter, memory_disk, trials, report
):
    run = new_run()
    command = ["data", "build", run.path / "recipe.toml", "--tokenizer", run.tokenizer]
    (run.path / "recipe.toml").write_text('extends = "quickstart"\n')
    words = ["--set", "design.vocab_size=300", "--set", "training.tokens=300_000", "--json"]
    words += ["--set", "data.curriculum=[{at=0, weights={grammar=0.7, arithmetic=0.3}}]"]
    words += ["--set", 'data.sources={grammar={generator="grammar"}, arithmetic={generator="arithmetic"}}']
    straight = memory_disk / "straight"
    seconds = seconds_of(processes.smidgen(*command, *words, "--out", straight))
    wanted = trials(3, 25)
    out = memory_disk / "built"
    while interrupter.sent.total() < wanted:
        process = processes.smidgen(*command, *words, "--out", out)
        if interrupter.interrupt(process, interrupter.after(seconds)):
            # Either nothing, or all if the signal came after the end.
            assert not out.exists() or shard_hashes(out) == shard_hashes(straight)
        assert not list(memory_disk.glob(".unfinished-*"))
        shutil.rmtree(out, ignore_errors=True)
    last = processes.smidgen(*command, *words, "--out", out)
    assert last.wait() == 0, last.said
    assert shard_hashes(out) == shard_hashes(straight)
    assert manifest.damage(out) == []
    report("tokenising")


def test_interrupted_evaluation_scores_the_same_afterwards(new_run, processes, interrupter, tmp_path, trials, report):
    run = new_run()
    assert processes.train(run).wait() == 0
    command = ["evaluate", run.path, "--tasks", "bits-per-byte,minimal-pairs:20", "--registry", tmp_path / "registry"]

    def scores():
        record = json.loads((run.scores / "evaluate.json").read_text())
        (run.scores / "evaluate.json").unlink()
        return {key: record[key] for key in ("scores", "items", "weights_sha256")}

    seconds = seconds_of(processes.smidgen(*command))
    straight = scores()
    wanted = trials(5, 25)
    while interrupter.sent.total() < wanted:
        ended = not interrupter.interrupt(processes.smidgen(*command), interrupter.after(seconds))
        # A signal in its last moments, when the scores are written already, finds all of them there or none.
        if ended or (run.scores / "evaluate.json").exists():
            assert scores() == straight
    last = processes.smidgen(*command)
    assert last.wait() == 0, last.said
    assert scores() == straight
    report("evaluating")
