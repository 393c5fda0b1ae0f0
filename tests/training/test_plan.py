import pytest

from smidgen.recipes.loading import load_recipe
from smidgen.training.plan import plan_training


def test_gpt_s_5m_on_a_gpu_is_cut_as_its_card_says():
    plan = plan_training(load_recipe("gpt-s-5m"), device_type="cuda")
    assert (plan.micro_batch, plan.step_sequences(0), plan.tokens_before(1)) == (128, 512, 262_144)
    assert plan.steps == 25_000_000_000 // 262_144


def test_a_cpu_takes_smaller_bites_of_the_same_steps():
    gpu = plan_training(load_recipe("gpt-s-5m"), device_type="cuda")
    cpu = plan_training(load_recipe("gpt-s-5m"), device_type="cpu")
    assert cpu.micro_batch == 16
    assert (cpu.steps, cpu.phases) == (gpu.steps, gpu.phases)


@pytest.mark.parametrize("batch_sequences", [1, 2, 7, 12, 30])
def test_bites_always_divide_the_step(batch_sequences):
    recipe = load_recipe("quickstart", overrides=[f"training.batch_tokens={batch_sequences * 256}"])
    plan = plan_training(recipe, device_type="cpu")
    assert plan.step_sequences(0) == batch_sequences
    assert batch_sequences % plan.micro_batch == 0


def test_the_run_never_exceeds_its_tokens():
    recipe = load_recipe("quickstart", overrides=["training.tokens=50_000"])
    plan = plan_training(recipe, device_type="cpu")
    assert plan.tokens <= 50_000 < plan.tokens_before(plan.steps + 1)


def scheduled(*points, tokens=100_000, batch_sequences=4):
    schedule = ", ".join(f"{{at={at}, tokens={sequences * 256}}}" for at, sequences in points)
    return plan_training(
        load_recipe(
            "quickstart",
            overrides=[
                f"training.tokens={tokens}",
                f"training.batch_tokens={batch_sequences * 256}",
                f"training.batch_schedule=[{schedule}]",
            ],
        ),
        device_type="cpu",
    )


def test_the_batch_grows_at_the_step_nearest_to_its_point():
    plan = scheduled((0.1, 8), (0.5, 16))
    assert [(phase.first_step, phase.sequences) for phase in plan.phases] == [(0, 4), (10, 8), (29, 16)]
    assert plan.tokens_before(10) == 10 * 4 * 256
    assert plan.tokens_before(29) == 10 * 4 * 256 + 19 * 8 * 256
    assert plan.tokens <= 100_000 < plan.tokens_before(plan.steps + 1)


@pytest.mark.parametrize("points", [(), ((0.3, 7),), ((0.05, 6), (0.06, 12), (0.9, 390)), ((0.999, 2),)])
def test_every_sample_belongs_to_exactly_one_step(points):
    plan = scheduled(*points)
    seen = [
        sample
        for step in range(plan.steps)
        for sample in range(plan.sequences_before(step), plan.sequences_before(step) + plan.step_sequences(step))
    ]
    assert seen == list(range(plan.total_sequences))
    assert all(plan.step_sequences(step) % plan.micro_batch == 0 for step in range(plan.steps))


def test_a_growing_batch_keeps_one_shape_of_forward_passes():
    assert scheduled((0.1, 8), (0.5, 20)).micro_batch == 4


@pytest.mark.parametrize(("at", "tokens"), [(0.96, 100_000), (0.001, 100_000), (0.5, 50_000)])
def test_a_step_as_long_as_the_run_never_exceeds_it(at, tokens):
    plan = scheduled((at, tokens // 256))
    assert 0 < plan.tokens <= 100_000
