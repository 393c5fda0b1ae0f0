"""The memory of training, against peaks that were measured and the plan that training follows."""

import pytest

from smidgen.design.shape import shape_of
from smidgen.design.training_memory import cpu_pass_tokens, optimizer_bytes, training_memory
from smidgen.recipes.loading import load_recipe, shipped_names
from smidgen.training.plan import plan_training

TEN_MILLION = (
    "design.vocab_size=8192",
    "design.hidden_size=256",
    "design.num_layers=12",
    "design.num_heads=8",
    "design.intermediate_size=640",
)
# Peaks of `benchmarks/training_memory.py` on two cores of an AMD EPYC, 2026-11-21, torch 2.13.
MEASURED = [
    ("quickstart", 4096, (), 572_649_472),
    ("gpt-s-5m", 8192, (), 1_077_194_752),
    ("gpt-s-5m", 2048, (), 765_788_160),
    ("gpt-s-5m", 2048, ("design.vocab_size=4100",), 782_118_912),
    ("ant-5m", 8192, (), 1_143_091_200),
    ("atomixs2-5m", 4096, (), 870_985_728),
    ("gpt-s-5m", 4096, TEN_MILLION, 1_131_225_088),
]


@pytest.mark.parametrize(("name", "tokens", "changes", "peak"), MEASURED)
def test_the_peak_is_within_a_tenth_of_what_was_measured(name, tokens, changes, peak):
    recipe = load_recipe(name, overrides=[f"training.batch_tokens={tokens}", *changes])
    assert training_memory(recipe.design, recipe.training)["peak_bytes"] == pytest.approx(peak, rel=0.1)


@pytest.mark.parametrize("name", shipped_names())
@pytest.mark.parametrize(
    "changes",
    [
        [],
        ["training.batch_tokens=6144"],
        ["training.batch_schedule=[{at=0.5, tokens=12288}]", "training.batch_tokens=5120"],
        ["training.micro_batch_size=3"],
    ],
)
def test_a_pass_has_the_tokens_that_training_plans(name, changes):
    recipe = load_recipe(name, overrides=changes)
    plan = plan_training(recipe, device_type="cpu")
    assert cpu_pass_tokens(shape_of(recipe.design), recipe.training) == plan.micro_batch * plan.context_length


def test_parts_sum_to_the_peak():
    recipe = load_recipe("gpt-s-5m")
    memory = training_memory(recipe.design, recipe.training)
    peak, _ = memory.pop("peak_bytes"), memory.pop("pass_tokens")
    assert sum(memory.values()) == peak
    assert memory["weights_bytes"] == 4 * 5_158_464


def test_moments_follow_from_the_optimiser():
    recipe = load_recipe("gpt-s-5m")
    design = shape_of(recipe.design)

    def held(*changes):
        return optimizer_bytes(design, load_recipe("gpt-s-5m", overrides=changes).training)

    matrices = 9 * (2 * 192 * (192 + 64) + 3 * 192 * 672)
    assert held() == 8 * 5_158_464
    assert held("training.optimizer=muon") == 8 * 5_158_464 - 4 * matrices
    assert held("training.ema_decay=0.999") == 12 * 5_158_464
