"""Sinks in a whole training: whatever they do, the model is the same."""

import threading
from functools import partial

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.life.run import run_life
from smidgen.life.sinks import feeds
from smidgen.life.sinks.feed import Feed
from smidgen.life.stages import Life
from smidgen.life.watcher import Watcher
from smidgen.records import measurements
from smidgen.records.run_folder import RunFolder

RELEASE = threading.Event()


class Raising:
    def __init__(self, folder):
        self.folder = folder

    def write(self, record):
        raise RuntimeError("the server said no")

    def close(self):
        raise AssertionError("never reached")


class Blocking(Raising):
    def write(self, record):
        RELEASE.wait()


class FullDisk(Raising):
    def write(self, record):
        with open("/dev/full", "w") as file:
            file.write("x" * 100_000)


class Listener(Watcher):
    def __init__(self):
        self.notices, self.kinds = [], set()

    def noticed(self, message):
        self.notices.append(message)

    def measured(self, record):
        self.kinds.add(record["kind"])


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def released():
    yield
    RELEASE.set()


@pytest.mark.parametrize(
    ("sink", "words"),
    [(Raising, "the server said no"), (Blocking, "did not finish"), (FullDisk, "No space left")],
)
def test_no_sink_stops_or_changes_a_run(sink, words, tiny_recipe, finished_run, tmp_path, monkeypatch):
    monkeypatch.setattr(feeds, "TensorBoardSink", sink)
    monkeypatch.setattr(feeds, "Feed", partial(Feed, closing_seconds=0.2))
    listener, run = Listener(), RunFolder(tmp_path / "run")
    life = Life(recipe=tiny_recipe, run=run, watcher=listener, sinks=("tensorboard",))
    assert run_life(life, until="train")["train"]["finished"]
    [notice] = [notice for notice in listener.notices if "sink" in notice]
    assert "tensorboard" in notice
    assert words in notice
    assert {measurements.TRAINING, measurements.HELD_OUT, measurements.STATISTICS} <= listener.kinds
    expected = newest_checkpoint(finished_run.checkpoints)[0].tensors("model")
    found = newest_checkpoint(run.checkpoints)[0].tensors("model")
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_run_leaves_its_live_page(finished_run):
    page = (finished_run.report / "live.html").read_text()
    assert "Trained on 10.2k tokens" in page
    assert not list(finished_run.report.glob(".unfinished-*"))
