"""Clocks that run backwards and files with wrong times."""

import os
import random
import time

import torch

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.training.trainer import train

from .trained import final_state

SITTINGS = 20


def sit(run, recipe, data, tokens=None):
    return train(recipe, run, data, recipe.design, device=torch.device("cpu"), max_tokens=tokens)


def test_wrong_times_change_nothing(new_run, small_recipe, small_data, monkeypatch, no_failures):
    straight, run = new_run(), new_run()
    sit(straight, small_recipe, small_data)
    draw = random.Random(2)
    clock = iter(range(2_000_000_000, 0, -1_000_000))
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    read = scrambled = 0
    for sitting in range(1, SITTINGS + 1):
        result = sit(run, small_recipe, small_data, tokens=sitting * 2 * 96)
        assert result.step == sitting * 2
        times = {}
        for path in sorted(run.checkpoints.rglob("*")):
            times[path] = draw.randrange(2**31)
            os.utime(path, (times[path], times[path]))
        folders = sorted(path for path in times if path.is_dir())
        scrambled += max(folders, key=times.get) != folders[-1]
        read += newest_checkpoint(run.checkpoints)[0].step == sitting * 2
    assert scrambled >= SITTINGS // 5
    assert read == SITTINGS
    assert final_state(run) == final_state(straight)
    no_failures("scrambled file times", SITTINGS, f"in {scrambled} the newest by time was an older step")


def test_a_budget_of_seconds_ends_cleanly_and_goes_on_to_the_same_bits(new_run, processes, no_failures):
    settings = {"tokens": 96 * 300, "checkpoint_steps": 100}
    straight, run = new_run(**settings), new_run(**settings)
    assert processes.train(straight).wait() == 0
    budgets = (0.3, 0.4, 0.5)
    for seconds in budgets:
        process = processes.smidgen("train", "--resume", run.path, "--max-seconds", seconds)
        assert process.wait() == 75, process.said
        assert "repeat the command" in process.said
    last = processes.smidgen("train", "--resume", run.path)
    assert last.wait() == 0, last.said
    assert final_state(run) == final_state(straight)
    no_failures("spent budgets of seconds", len(budgets))
