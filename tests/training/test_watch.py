import math

import pytest
import torch

from smidgen.errors import CheckFailed
from smidgen.recipes.training import TrainingSettings
from smidgen.training.watch import LEVEL_STEPS, LossWatch

VALUES = {"tokens": 100, "batch_tokens": 10, "micro_batch_size": 1, "peak_learning_rate": 1e-2, "warmup_steps": 0}


class Watched:
    def __init__(self, **settings):
        self.events = []
        self.watch = LossWatch(
            TrainingSettings(**{**VALUES, **settings}),
            samples_of=lambda step: f"samples {step}0 to {step}9",
            on_event=lambda step, message: self.events.append((step, message)),
        )
        self.step = 0

    def see(self, *losses, norm=1.0, scale=None):
        for loss in losses:
            scale_tensor = None if scale is None else torch.tensor(float(scale))
            self.watch.add(self.step, torch.tensor(float(loss)), torch.tensor(float(norm)), scale_tensor)
            self.step += 1
        self.watch.read()
        return self


def noisy(level, count=LEVEL_STEPS):
    return [level + 0.1 * math.sin(7 * number) for number in range(count)]


def test_an_ordinary_run_has_no_events():
    seen = Watched().see(*noisy(8), *noisy(5), *noisy(4), *noisy(4.4))
    assert seen.events == []
    assert seen.watch.mean_since_log() == pytest.approx((8 + 5 + 4 + 4.4) / 4, abs=0.02)
    assert seen.watch.mean_since_log() is None


def test_a_spike_is_an_event_that_names_its_samples():
    seen = Watched().see(*noisy(4), 5.2, *noisy(4, 5))
    ((step, message),) = seen.events
    assert step == LEVEL_STEPS
    assert "loss 5.200 is a spike above 4.0" in message
    assert f"samples {step}0 to {step}9" in message


def test_a_loss_far_above_its_best_for_long_ends_the_run_with_advice():
    seen = Watched(divergence_patience=5).see(*noisy(3), *noisy(6.5, 4))
    with pytest.raises(
        CheckFailed, match=r"above 2 times its best level, 3\.0.*, for 5 steps.* lower training\.peak"
    ):
        seen.see(6.5)
    assert "has diverged" in seen.events[-1][1]


def test_patience_counts_steps_in_a_row_only():
    seen = Watched(divergence_patience=5).see(*noisy(3))
    for _ in range(4):
        seen.see(*noisy(6.5, 4), 3.0)


def test_patience_zero_never_ends_a_run():
    Watched(divergence_patience=0).see(*noisy(1), *noisy(50, 300))


def test_three_steps_in_a_row_that_are_not_finite_end_the_run():
    seen = Watched().see(4.0, math.nan, math.inf, 4.0, math.nan).see(4.0, norm=math.nan)
    with pytest.raises(CheckFailed, match="3 steps in a row, the last with samples 60 to 69"):
        seen.see(math.nan)
    assert [step for step, _ in seen.events] == [1, 2, 4, 5, 6]


def test_float16_may_look_for_its_scale():
    seen = Watched().see(*[4.0] * 16, norm=math.inf, scale=2.0**16)
    assert seen.events == []
    with pytest.raises(CheckFailed):
        seen.see(*[4.0] * 3, norm=math.inf, scale=1.0)


def test_a_loss_that_is_not_finite_is_no_matter_of_scale():
    with pytest.raises(CheckFailed):
        Watched().see(*[math.nan] * 3, scale=2.0**16)


@pytest.mark.parametrize("cut", [3, 20, 33, 36])
def test_a_restored_watch_decides_as_one_that_was_never_interrupted(cut):
    losses = [*noisy(3), *noisy(6.5, 4), math.nan, 6.5]
    first = Watched(divergence_patience=5).see(*losses[:cut])
    second = Watched(divergence_patience=5)
    second.step = first.step
    second.watch.restore(first.watch.state())
    with pytest.raises(CheckFailed, match="for 5 steps"):
        second.see(*losses[cut:])


def test_checkpoints_from_before_the_watch_can_be_continued():
    seen = Watched()
    seen.watch.restore({"losses_since_log": [4.0], "non_finite_steps": 0})
    seen.see(2.0)
    assert seen.watch.mean_since_log() == 3.0
