import errno
import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint, require_checkpoint, save_checkpoint
from smidgen.errors import BadInput, OutOfResources


def save(root, step, parts, keep=2):
    return save_checkpoint(root, step=step, parts=parts, state={"seconds": 1.5}, keep=keep)


def test_what_is_saved_comes_back(tmp_path, parts):
    save(tmp_path, 12, parts)
    checkpoint, notices = newest_checkpoint(tmp_path)
    assert (checkpoint.step, checkpoint.state["seconds"], notices) == (12, 1.5, [])
    for part, tensors in parts.items():
        loaded = checkpoint.tensors(part)
        assert loaded.keys() == tensors.keys()
        assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


def test_the_highest_step_is_the_newest_whatever_the_clock_says(tmp_path, parts):
    newest, older = save(tmp_path, 200, parts), save(tmp_path, 100, parts)
    os.utime(older, (2**31, 2**31))
    os.utime(newest, (0, 0))
    assert newest_checkpoint(tmp_path)[0].step == 200


def test_steps_beyond_eight_digits_sort_as_numbers(tmp_path, parts):
    for step in (99_999_999, 100_000_000):
        save(tmp_path, step, parts)
    assert newest_checkpoint(tmp_path)[0].step == 100_000_000


def test_only_the_newest_are_kept(tmp_path, parts):
    for step in (1, 2, 3, 4):
        save(tmp_path, step, parts, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000003", "step-00000004"]


def damages():
    draw = random.Random(7)
    for file in ("model.safetensors", "optimizer.safetensors", "state.json", "files.json"):
        for _ in range(50):
            yield file, "flip", draw.random(), draw.randrange(8)
        for _ in range(10):
            yield file, "cut", draw.random(), 0
        for _ in range(5):
            yield file, "zero", draw.random(), 0


def test_260_damages_are_all_noticed_and_the_older_checkpoint_is_used(tmp_path, parts):
    save(tmp_path, 1, parts)
    target = save(tmp_path, 2, parts)
    intact = {file: (target / file).read_bytes() for file in os.listdir(target)}
    accepted = []
    for file, kind, where, bit in damages():
        content = bytearray(intact[file])
        position = int(where * len(content))
        if kind == "flip":
            content[position] ^= 1 << bit
        elif kind == "cut":
            content = content[:position]
        else:
            content[position:] = bytes(len(content) - position)
        if bytes(content) == intact[file]:
            continue
        (target / file).write_bytes(content)
        checkpoint, notices = newest_checkpoint(tmp_path)
        # A flipped bit in the list of hashes may change a name or digest: it can only make it refuse more.
        if checkpoint.step != 1 or "step-00000002 is damaged" not in notices[0]:
            accepted.append((file, kind, position, bit))
        (target / file).write_bytes(intact[file])
    harmless = [damage for damage in accepted if damage[0] == "files.json"]
    assert accepted == harmless
    # Bits of white space or of the case of a hexadecimal digit may change without changing a meaning.
    assert len(harmless) <= 10
    assert newest_checkpoint(tmp_path)[0].step == 2


def test_without_any_valid_checkpoint_the_damage_is_told(tmp_path, parts):
    target = save(tmp_path, 3, parts)
    (target / "model.safetensors").write_bytes(b"x")
    with pytest.raises(BadInput, match=r"no usable checkpoint \(checkpoint step-00000003 is damaged"):
        require_checkpoint(tmp_path)


def test_an_untrained_run_says_that_nothing_was_saved(tmp_path):
    with pytest.raises(BadInput, match="training has not saved one yet"):
        require_checkpoint(tmp_path / "checkpoints")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_never_saved(tmp_path, parts, bad):
    parts["optimizer"]["exp_avg.a"][2, 3] = bad
    with pytest.raises(ValueError, match=r"optimizer tensor exp_avg\.a holds NaN or infinity"):
        save(tmp_path, 5, parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing_call", range(1, 9))
def test_a_disk_that_fills_at_any_moment_leaves_the_older_checkpoint_whole(
    tmp_path, parts, monkeypatch, failing_call
):
    save(tmp_path, 1, parts)
    calls = 0
    real = os.fsync

    def fsync(descriptor):
        nonlocal calls
        calls += 1
        if calls == failing_call:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutOfResources, match="no space left"):
        save(tmp_path, 2, parts)
    checkpoint, _ = newest_checkpoint(tmp_path)
    assert checkpoint.step in (1, 2)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


SAVER = """
    import sys, torch
    from pathlib import Path
    from smidgen.checkpoints.checkpoint import save_checkpoint
    torch.manual_seed(0)
    print("ready", flush=True)
    for step in range(1, 100_000):
        value = torch.full((400, 400), float(step))
        save_checkpoint(Path(sys.argv[1]), step=step, parts={"model": {"w": value}}, state={}, keep=2)
"""


def kill_inside_a_save(process, root, draw):
    """Freeze the process at random moments until one lies inside a save, and kill it there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(draw.uniform(0.005, 0.05))
        process.send_signal(signal.SIGSTOP)
        # The signal takes effect when a running system call returns.
        time.sleep(0.02)
        if any(path.name.startswith(".") for path in root.iterdir()):
            process.kill()
            process.wait()
            return
        process.send_signal(signal.SIGCONT)
    pytest.fail("no moment inside a save was found")


def test_kills_in_the_middle_of_saving_lose_nothing(tmp_path):
    """Every kill lands inside a save, in a loop that does nothing else."""
    draw = random.Random(11)
    for number in range(4):
        root = tmp_path / str(number)
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SAVER), str(root)], stdout=subprocess.PIPE)
        process.stdout.readline()
        while not root.is_dir() or not any(root.glob("step-*")):
            time.sleep(0.01)
        kill_inside_a_save(process, root, draw)
        process.stdout.close()
        checkpoint, notices = newest_checkpoint(root)
        assert notices == []
        assert torch.equal(checkpoint.tensors("model")["w"], torch.full((400, 400), float(checkpoint.step)))
