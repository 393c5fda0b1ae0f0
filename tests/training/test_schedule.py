import pytest
import torch
from transformers import (
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_linear_schedule_with_warmup,
    get_wsd_schedule,
)

from smidgen.recipes.loading import load_recipe
from smidgen.recipes.training import TrainingSettings
from smidgen.training.schedule import learning_rate, warmup_steps


def settings(**change):
    values = {"tokens": 10**9, "batch_tokens": 100, "micro_batch_size": 1, "peak_learning_rate": 2e-3}
    return TrainingSettings(**{**values, "warmup_steps": 30, "decay_start": 0.7, **change})


STEPS, WARMUP = 500, 30


def optimizer():
    return torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=2e-3)


def assert_equal_schedules(ours, reference, steps=STEPS):
    for step in range(steps):
        assert learning_rate(step, steps, ours) == pytest.approx(reference.get_last_lr()[0], rel=1e-9, abs=1e-15)
        reference.optimizer.step()
        reference.step()


@pytest.mark.parametrize(("steps", "warmup", "decay_start"), [(1000, 30, 0.7), (500, 7, 0.5), (300, 0, 0.9)])
@pytest.mark.parametrize(
    ("shape", "reference_shape"), [("linear", "linear"), ("cosine", "cosine"), ("sqrt", "1-sqrt")]
)
def test_wsd_equals_that_of_transformers(steps, warmup, decay_start, shape, reference_shape):
    start = round(decay_start * steps)
    reference = get_wsd_schedule(
        optimizer(),
        num_warmup_steps=warmup,
        num_stable_steps=start - warmup,
        num_decay_steps=steps - start,
        warmup_type="linear",
        decay_type=reference_shape,
        min_lr_ratio=0.1,
    )
    ours = settings(warmup_steps=warmup, decay_start=decay_start, decay_shape=shape, minimum_learning_rate=2e-4)
    assert_equal_schedules(ours, reference, steps)


def test_the_other_schedules_equal_those_of_transformers():
    for name, reference in {
        "cosine": get_cosine_schedule_with_warmup(optimizer(), WARMUP, STEPS),
        "linear": get_linear_schedule_with_warmup(optimizer(), WARMUP, STEPS),
        "constant": get_constant_schedule_with_warmup(optimizer(), WARMUP),
    }.items():
        assert_equal_schedules(settings(schedule=name), reference)


def test_a_cosine_falls_to_the_minimum_as_that_of_transformers_does():
    reference = get_cosine_with_min_lr_schedule_with_warmup(optimizer(), 0, STEPS, min_lr=2e-4)
    ours = settings(schedule="cosine", warmup_steps=0, minimum_learning_rate=2e-4)
    assert_equal_schedules(ours, reference)
    assert learning_rate(STEPS, STEPS, ours) == pytest.approx(2e-4)


def test_a_linear_fall_ends_at_the_minimum():
    ours = settings(schedule="linear", minimum_learning_rate=1e-4)
    assert learning_rate(STEPS, STEPS, ours) == pytest.approx(1e-4)
    assert learning_rate(265, STEPS, ours) == pytest.approx((1e-4 + 2e-3) / 2)


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
