"""Three saves, and every state in which a power cut at any moment of them may leave the disk."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint, save_checkpoint
from smidgen.records import atomic

from .disk_log import Content, CrashState, DiskLog, Flush, Returned, crash_states

STEPS = (3, 6, 9)
RANDOM_STATES_PER_MOMENT = 250


def tensors_of(step):
    generator = torch.Generator().manual_seed(step)
    return {
        "model": {"a": torch.randn(3, 5, generator=generator), "b": torch.randn(2, generator=generator)},
        "optimizer": {"exp_avg.a": torch.randn(3, 5, generator=generator)},
    }


def recorded_saves(folder):
    """The log of three saves in a folder of checkpoints that does not exist before; the third removes the first."""
    log = DiskLog(folder)
    with log.recording():
        for step in STEPS:
            save_checkpoint(
                folder / "checkpoints", step=step, parts=tensors_of(step), state={"updates": step}, keep=2
            )
            log.returned(step)
    return log.events


def distinct_states(events):
    """Each state once, with the step of the last save that had returned by then."""
    draw = random.Random(3)
    seen = set()
    promised = 0
    for moment, event in enumerate(events):
        if isinstance(event, Returned):
            promised = event.value
        for state in crash_states(events[: moment + 1], draw, RANDOM_STATES_PER_MOMENT):
            if (promised, state.key) not in seen:
                seen.add((promised, state.key))
                yield state, promised


def fault_of(state: CrashState, promised: int, disk: Path) -> str:
    """What is wrong with what is read after the power cut, else nothing; and what was skipped."""
    with TemporaryDirectory(dir=disk) as folder:
        state.write_below(Path(folder))
        checkpoint, _ = newest_checkpoint(Path(folder) / "checkpoints")
        if checkpoint is None:
            return f"the checkpoint of step {promised} is lost" if promised else ""
        if checkpoint.step < promised:
            return f"step {promised} was saved and step {checkpoint.step} is read"
        for part, tensors in tensors_of(checkpoint.step).items():
            loaded = checkpoint.tensors(part)
            if loaded.keys() != tensors.keys() or not all(
                torch.equal(loaded[name], tensors[name]) for name in loaded
            ):
                return f"the checkpoint of step {checkpoint.step} is not what was saved"
        return "" if checkpoint.state["updates"] == checkpoint.step else "another state"


def test_a_power_cut_at_any_moment_of_a_save_leaves_a_valid_checkpoint(memory_disk, no_failures):
    (memory_disk / "run").mkdir()
    events = recorded_saves(memory_disk / "run")
    states = list(distinct_states(events))
    assert [fault for state, promised in states if (fault := fault_of(state, promised, memory_disk))] == []
    whole = {event.content for event in events if isinstance(event, Content)}
    losing = sum(state.lost > 0 for state, _ in states)
    torn = sum(not whole.issuperset(content for content in state.files.values() if content) for state, _ in states)
    assert len(states) >= 2_000
    assert losing >= 1_000
    assert torn >= 500
    no_failures("power cut while saving", len(states), f"{losing} lost something, {torn} hold a torn file")


@pytest.mark.parametrize("what", ["files", "directories"])
def test_a_save_that_does_not_flush_would_be_caught(memory_disk, monkeypatch, what):
    flush = atomic.flush_to_disk
    monkeypatch.setattr(
        atomic, "flush_to_disk", lambda path: None if path.is_dir() == (what == "directories") else flush(path)
    )
    (memory_disk / "run").mkdir()
    states = distinct_states(recorded_saves(memory_disk / "run"))
    assert any(fault_of(state, promised, memory_disk) for state, promised in states)


def test_the_log_knows_new_written_renamed_replaced_and_removed_files(memory_disk):
    folder = memory_disk / "folder"
    folder.mkdir()
    log = DiskLog(folder)
    with log.recording():
        (folder / "inner").mkdir()
        (folder / "inner" / "a").write_bytes(b"old")
        atomic.write_bytes(folder / "inner" / "a", b"new")
        (folder / "inner").rename(folder / "outer")
        atomic.flush_to_disk(folder)
        (folder / "outer" / "a").unlink()
    states = list(crash_states(log.events, random.Random(1), 0))
    assert states[0].files == {"outer/a": b"new"}
    assert states[-1].files == {}
    assert states[-1].directories == {"", "outer"}
    unflushed = [event for event in log.events if not isinstance(event, Flush)]
    assert next(crash_states(unflushed, random.Random(1), 0)).files == {}
