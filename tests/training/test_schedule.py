import pytest
import torch
from transformers import get_wsd_schedule

from smidgen.recipes.loading import load_recipe
from smidgen.recipes.training import TrainingSettings
from smidgen.training.schedule import learning_rate, warmup_steps


def settings(**change):
    values = {"tokens": 10**9, "batch_tokens": 100, "micro_batch_size": 1, "peak_learning_rate": 2e-3}
    return TrainingSettings(**{**values, "warmup_steps": 30, "decay_start": 0.7, **change})


@pytest.mark.parametrize(("steps", "warmup", "decay_start"), [(1000, 30, 0.7), (500, 7, 0.5), (300, 0, 0.9)])
def test_the_schedule_equals_that_of_transformers(steps, warmup, decay_start):
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=2e-3)
    start = round(decay_start * steps)
    reference = get_wsd_schedule(
        optimizer,
        num_warmup_steps=warmup,
        num_stable_steps=start - warmup,
        num_decay_steps=steps - start,
        warmup_type="linear",
        decay_type="linear",
    )
    ours = settings(warmup_steps=warmup, decay_start=decay_start)
    for step in range(steps):
        assert learning_rate(step, steps, ours) == pytest.approx(reference.get_last_lr()[0], rel=1e-9, abs=1e-15)
        optimizer.step()
        reference.step()


def test_the_minimum_is_kept_on_both_sides():
    ours = settings(minimum_learning_rate=1e-4)
    assert learning_rate(0, 1000, ours) == pytest.approx(1e-4)
    assert learning_rate(999, 1000, ours) == pytest.approx(1e-4 + 1.9e-3 / 300)


def test_gpt_s_5m_warms_up_as_its_card_says():
    training = load_recipe("gpt-s-5m").training
    steps = training.tokens // training.batch_tokens
    assert warmup_steps(training, steps) == 1500
    assert learning_rate(1500, steps, training) == 2.5e-3
    assert learning_rate(round(0.7 * steps), steps, training) == 2.5e-3
    assert learning_rate(round(0.85 * steps), steps, training) == pytest.approx(1.25e-3, rel=1e-3)


def test_a_shortened_run_still_reaches_its_peak():
    training = settings(warmup_steps=1500)
    assert warmup_steps(training, 50) == 5
    assert max(learning_rate(step, 50, training) for step in range(50)) == 2e-3
    assert learning_rate(0, 7, training) == 2e-3
