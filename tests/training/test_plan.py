import pytest

from smidgen.recipes.loading import load_recipe
from smidgen.training.plan import plan_training


def test_gpt_s_5m_on_a_gpu_is_cut_as_its_card_says():
    plan = plan_training(load_recipe("gpt-s-5m"), device_type="cuda")
    assert (plan.micro_batch, plan.accumulation, plan.step_tokens) == (128, 4, 262_144)
    assert plan.steps == 25_000_000_000 // 262_144


def test_a_cpu_takes_smaller_bites_of_the_same_steps():
    gpu = plan_training(load_recipe("gpt-s-5m"), device_type="cuda")
    cpu = plan_training(load_recipe("gpt-s-5m"), device_type="cpu")
    assert (cpu.micro_batch, cpu.accumulation) == (16, 32)
    assert (cpu.steps, cpu.step_sequences) == (gpu.steps, gpu.step_sequences)


@pytest.mark.parametrize("batch_sequences", [1, 2, 7, 12, 30])
def test_bites_always_divide_the_step(batch_sequences):
    recipe = load_recipe("quickstart", overrides=[f"training.batch_tokens={batch_sequences * 256}"])
    plan = plan_training(recipe, device_type="cpu")
    assert plan.micro_batch * plan.accumulation == batch_sequences


def test_the_run_never_exceeds_its_tokens():
    recipe = load_recipe("quickstart", overrides=["training.tokens=50_000"])
    plan = plan_training(recipe, device_type="cpu")
    assert plan.tokens <= 50_000 < plan.tokens + plan.step_tokens
