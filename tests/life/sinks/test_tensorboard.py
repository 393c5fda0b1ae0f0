import sys
from types import SimpleNamespace

import pytest

from smidgen.life.sinks.tensorboard import TensorBoardSink

TRAINING = {"kind": "training", "step": 7, "tokens": 1, "seconds": 1.0, "loss": 2.5}


class Writer:
    """What SummaryWriter was asked to do."""

    made = None

    def __init__(self, folder, purge_step):
        Writer.made = self
        self.folder, self.purge_step, self.calls = folder, purge_step, []

    def __getattr__(self, name):
        return lambda *arguments: self.calls.append((name, *arguments))


@pytest.fixture
def writer(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=Writer))
    return lambda: Writer.made


def test_numbers_and_texts_arrive_at_their_steps(writer, tmp_path):
    sink = TensorBoardSink(tmp_path)
    sink.write(TRAINING)
    sink.write({"kind": "event", "step": 8, "message": "a spike"})
    sample = {"prompt": "Tom", "text": " sat", "loop": False}
    sink.write({"kind": "samples", "step": 9, "tokens": 1, "seconds": 1.0, "samples": [sample], "loop_share": 0.0})
    sink.close()
    assert writer().calls == [
        ("add_scalar", "training/loss", 2.5, 7),
        ("add_text", "events", "a spike", 8),
        ("add_scalar", "samples/loop_share", 0.0, 9),
        ("add_text", "samples/0", "**Tom** sat", 9),
        ("close",),
    ]


def test_a_run_that_goes_on_hides_what_it_measures_again(writer, tmp_path):
    TensorBoardSink(tmp_path).write(TRAINING)
    assert writer().purge_step == 7


def test_event_files_are_those_that_tensorboard_reads(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    sink = TensorBoardSink(tmp_path)
    for step in (7, 8):
        sink.write({**TRAINING, "step": step})
    sink.close()
    events = EventAccumulator(str(tmp_path)).Reload().Scalars("training/loss")
    assert [(event.step, event.value) for event in events] == [(7, 2.5), (8, 2.5)]
