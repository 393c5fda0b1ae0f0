"""NaN and infinity put into losses and gradients, one number of one tensor being enough."""

import json
import random

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from smidgen.errors import CheckFailed
from smidgen.records import measurements
from smidgen.training.trainer import train

from .conftest import with_training

INJECTIONS = 100
STEPS = 100
WINDOWS, PASSES = 6, 3


class Poison:
    """Puts a value that is not finite into chosen steps, behind the embedding in training.

    Into its output, so that the loss is not finite, or into one number of the gradient that comes back to it, where
    the loss is as it should be.
    """

    def __init__(self, steps, draw):
        self.steps, self.draw = steps, draw
        self.passes = 0
        self.injected = {"loss": set(), "gradient": set()}

    def __call__(self, module, inputs, output):
        if not isinstance(module, nn.Embedding) or not module.training:
            return None
        step, self.passes = self.passes // PASSES, self.passes + 1
        # In one pass of the step only.
        if step not in self.steps or self.passes % PASSES != step % PASSES:
            return None
        value = self.draw.choice((float("nan"), float("inf"), float("-inf")))
        if step % 2:
            self.injected["loss"].add(step)
            # Infinity alone might vanish in a normalisation; NaN would not.
            return output * value if value == value else output + value
        output.register_hook(lambda gradient: self._with_one_bad_number(gradient, step, value))
        return None

    def _with_one_bad_number(self, gradient, step, value):
        self.injected["gradient"].add(step)
        gradient = gradient.clone()
        gradient.view(-1)[self.draw.randrange(gradient.numel())] = value
        return gradient

    @property
    def count(self):
        return sum(map(len, self.injected.values()))


@pytest.fixture
def poisoned():
    handles = []

    def call(steps, seed):
        poison = Poison(steps, random.Random(seed))
        handles.append(register_module_forward_hook(poison))
        return poison

    yield call
    for handle in handles:
        handle.remove()


def never_three_in_a_row(draw):
    steps = set()
    while len(steps) < INJECTIONS // 2:
        # Not the first: until a weight was updated there is nothing to save.
        step = draw.randrange(1, STEPS)
        if all({step + a, step + b} - steps for a, b in ((-2, -1), (-1, 1), (1, 2))):
            steps.add(step)
    return steps


def tensors_of(run, step):
    return {
        (part, name): tensor
        for part in ("model", "optimizer")
        for name, tensor in load_file(run.checkpoints / f"step-{step:08d}" / f"{part}.safetensors").items()
    }


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_step_that_is_not_finite_changes_nothing(
    optimizer, new_run, small_recipe, small_data, poisoned, no_failures
):
    draw = random.Random(4)
    recipe = with_training(
        small_recipe, tokens=STEPS * 96, checkpoint_steps=1, keep_checkpoints=STEPS, log_steps=1, optimizer=optimizer
    )
    assert recipe.training.batch_tokens == WINDOWS * 16
    steps = never_three_in_a_row(draw)
    run = new_run()
    poison = poisoned(steps, seed=5)
    result = train(recipe, run, small_data, recipe.design, device=torch.device("cpu"))
    assert result.finished
    assert poison.passes == STEPS * PASSES
    assert poison.injected["loss"] | poison.injected["gradient"] == steps
    assert min(map(len, poison.injected.values())) >= INJECTIONS // 10
    changed = []
    for step in range(1, STEPS):
        before, after = tensors_of(run, step), tensors_of(run, step + 1)
        assert all(torch.isfinite(tensor).all() for tensor in after.values())
        if any(not torch.equal(before[name], after[name]) for name in before):
            changed.append(step)
    assert changed == sorted(set(range(1, STEPS)) - steps)
    updates = json.loads((run.checkpoints / f"step-{STEPS:08d}" / "state.json").read_text())["updates"]
    assert updates == STEPS - len(steps)
    # JSON written by Python would spell them so.
    written = run.measurements.read_text()
    assert "NaN" not in written
    assert "Infinity" not in written
    events = [line["message"] for line in measurements.read(run.measurements, measurements.EVENT)]
    for step in steps:
        first = step * WINDOWS
        assert any(f"samples {first} to {first + WINDOWS - 1}" in message for message in events)
    no_failures(f"NaN and infinity with {optimizer}", poison.count, f"{len(poison.injected['loss'])} in the loss")


@pytest.mark.parametrize("first", [1, 4, 5])
def test_three_in_a_row_end_the_run_and_name_the_batch(first, new_run, small_recipe, small_data, poisoned):
    run = new_run()
    poisoned({first, first + 1, first + 2}, seed=6)
    recipe = with_training(small_recipe, checkpoint_steps=1)
    last = (first + 2) * WINDOWS
    with pytest.raises(CheckFailed, match=rf"3 steps in a row, the last with samples {last} to {last + WINDOWS - 1}"):
        train(recipe, run, small_data, recipe.design, device=torch.device("cpu"))
    saved = sorted(run.checkpoints.iterdir())
    assert saved
    for path in saved:
        tensors = tensors_of(run, int(path.name.removeprefix("step-")))
        assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
