import errno
import os

import pytest
import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint, require_checkpoint, save_checkpoint, valid_checkpoint
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


def test_chosen_steps_stay_besides_the_newest(tmp_path):
    for step in range(1, 8):
        save_checkpoint(
            tmp_path, step=step, parts={"model": {"w": torch.ones(2)}}, state={}, keep=2, also_keep={1, 4, 99}
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"step-{step:08d}" for step in (1, 4, 6, 7)]


def test_a_step_is_read_only_when_it_is_there_and_whole(tmp_path):
    path = save_checkpoint(tmp_path, step=3, parts={"model": {"w": torch.ones(2)}}, state={"seconds": 2}, keep=2)
    assert valid_checkpoint(tmp_path, 3).state["seconds"] == 2
    assert valid_checkpoint(tmp_path, 4) is None
    (path / "state.json").write_text("{}")
    assert valid_checkpoint(tmp_path, 3) is None


def test_averaged_weights_are_what_is_to_be_evaluated(tmp_path):
    parts = {"model": {"w": torch.ones(2)}}
    save_checkpoint(tmp_path, step=1, parts=parts, state={}, keep=2)
    save_checkpoint(tmp_path, step=2, parts={**parts, "average": {"w": torch.zeros(2)}}, state={}, keep=2)
    names = [valid_checkpoint(tmp_path, step).weights_path.name for step in (1, 2)]
    assert names == ["model.safetensors", "average.safetensors"]
