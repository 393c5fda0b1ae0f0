"""Bits that flip, files that end early and tails of zeros, in the newest checkpoint of a trained run."""

import random

import pytest

from smidgen.checkpoints.checkpoint import newest_checkpoint

from .trained import valid_steps

FILES = ("files.json", "model.safetensors", "optimizer.safetensors", "state.json")


@pytest.fixture
def trained(new_run, processes):
    run = new_run(tokens=960, keep_checkpoints=3)
    assert processes.train(run).wait() == 0
    return run


def flipped(content, draw):
    position = draw.randrange(len(content))
    return content[:position] + bytes([content[position] ^ 1 << draw.randrange(8)]) + content[position + 1 :]


def cut(content, draw):
    return content[: draw.randrange(len(content))]


def zeroed(content, draw):
    position = draw.randrange(len(content))
    return content[:position] + bytes(len(content) - position)


def test_every_damage_is_noticed_and_the_older_checkpoint_used(trained, trials, no_failures):
    draw = random.Random(7)
    newest, older = sorted(trained.checkpoints.iterdir(), reverse=True)
    assert sorted(path.name for path in newest.iterdir()) == sorted(FILES)
    # The line break at the end of the list is the only byte that means nothing.
    intact = {name: (newest / name).read_bytes().rstrip(b"\n" if name == "files.json" else b"") for name in FILES}
    tried = 0
    for damage, wanted in ((flipped, trials(200, 1_000)), (cut, trials(40, 200)), (zeroed, trials(10, 50))):
        for number in range(wanted):
            # Each file is damaged as often as the others, though their lengths differ a hundredfold.
            name = FILES[number % len(FILES)]
            content = damage(intact[name], draw)
            while content == intact[name]:
                content = damage(intact[name], draw)
            (newest / name).write_bytes(content)
            checkpoint, notices = newest_checkpoint(trained.checkpoints)
            assert checkpoint is not None, (name, damage.__name__)
            assert checkpoint.path == older, (name, damage.__name__)
            assert f"{newest.name} is damaged" in notices[0]
            tried += 1
            (newest / name).write_bytes(intact[name])
    # All that was damaged is whole again, so it was the damage that was noticed.
    assert newest_checkpoint(trained.checkpoints)[0].path == newest
    no_failures("damaged checkpoints", tried)


def test_damaged_checkpoints_never_push_out_valid_ones(new_run, processes):
    """Two newer ones, both damaged, while two are kept: the fresh ones have lower steps and must stay."""
    run = new_run(checkpoint_steps=5, keep_checkpoints=2)
    assert processes.train(run).wait() == 0
    for folder in run.checkpoints.iterdir():
        (folder / "state.json").write_bytes(b"{}")
    for stop in (4 * 96, 9 * 96, 14 * 96):
        process = processes.smidgen("train", "--resume", run.path, "--max-tokens", stop)
        assert process.wait() == 75, process.said
        checkpoint, notices = newest_checkpoint(run.checkpoints)
        assert checkpoint.step == stop // 96
        assert len(notices) == 2
    assert valid_steps(run)[-2:] == [10, 14]
