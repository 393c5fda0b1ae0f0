import json
from dataclasses import replace

import pytest
import torch

from smidgen.errors import OutOfResources
from smidgen.training import autotune, stack_choice
from smidgen.training.autotune import Choice
from smidgen.training.plan import plan_training
from smidgen.training.stack_choice import choose, sizes_of_passes, stacking_pays
from smidgen.training.stack_step import StackedStep
from smidgen.training.step import Step

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def steps(tiny_recipe):
    from smidgen.model.decoder import Decoder

    way = {"device": CPU, "dtype": torch.float32, "micro_batch": 1, "compile_mode": None}
    return [Step(Decoder(tiny_recipe.design), tiny_recipe.training, **way) for _ in range(3)]


@pytest.fixture
def like_a_gpu(monkeypatch):
    """Measures as on a GPU, by the seconds a sequence that are put here, by models, size and mode."""
    seconds, asked = {}, []

    def seconds_of(step, device):
        models = step.decoder.models if isinstance(step, StackedStep) else 1
        asked.append((models, step.micro_batch, step.compile_mode))
        if (models, step.micro_batch) not in seconds:
            raise OutOfResources("memory ran out")
        return seconds[models, step.micro_batch]

    monkeypatch.setattr(autotune, "is_worth_it", lambda device: True)
    monkeypatch.setattr(autotune, "seconds_per_sequence", seconds_of)
    return seconds, asked


def with_batch(recipe, sequences):
    context = recipe.design.context_length
    return replace(recipe, training=replace(recipe.training, tokens=10**6, batch_tokens=sequences * context))


@pytest.mark.parametrize(
    ("models", "device", "largest"), [(1, CPU, 12), (16, CPU, 12), (60, CPU, 4), (900, CPU, 1), (900, CUDA, 12)]
)
def test_passes_of_many_models_get_no_longer_on_a_processor(tiny_recipe, models, device, largest):
    recipe = with_batch(tiny_recipe, 24)
    # 8,192 tokens are 256 sequences of 32; the recipe allows 12 of them on a GPU.
    recipe = replace(recipe, training=replace(recipe.training, micro_batch_size=12))
    sizes = sizes_of_passes(plan_training(recipe, device_type=device.type), models, device)
    assert sizes == [size for size in (1, 2, 3, 4, 6, 8, 12) if size <= largest]


def test_a_processor_takes_the_largest_size_and_compiles_as_it_is_told(steps):
    assert choose(steps, [1, 2, 4], compiled=True) == Choice(micro_batch=4, compile_mode="default")
    assert choose(steps, [1, 2], compiled=False) == Choice(micro_batch=2, compile_mode=None)


def test_a_gpu_takes_what_is_fastest_for_so_many_models_and_remembers_it(steps, like_a_gpu, tmp_path):
    seconds, asked = like_a_gpu
    seconds.update({(3, 1): 3.0, (3, 2): 1.0, (2, 1): 1.0})
    cache = tmp_path / "autotune.json"
    for _ in range(2):
        assert choose(steps, [1, 2, 4], compiled=False, cache=cache).micro_batch == 2
    assert asked == [(3, 1, None), (3, 2, None), (3, 4, None)]
    assert choose(steps[:2], [1, 2, 4], compiled=False, cache=cache).micro_batch == 1
    assert all(parameter.grad is None for step in steps for parameter in step.decoder.parameters())


def test_where_nothing_fits_the_largest_size_is_begun_with(steps, like_a_gpu, tmp_path):
    assert choose(steps, [1, 2], compiled=False, cache=tmp_path / "c.json").micro_batch == 2


@pytest.mark.parametrize(("together", "pays"), [(2.6, True), (2.9, False), (3.5, False), (None, False)])
def test_on_a_gpu_stacking_pays_where_it_was_measured_to(tiny_recipe, like_a_gpu, tmp_path, together, pays):
    seconds, asked = like_a_gpu
    recipe, cache = with_batch(tiny_recipe, 2), tmp_path / "autotune.json"
    # Three models one after the other take 3 seconds a sequence of each.
    seconds.update({(1, 2): 1.0} | ({} if together is None else {(3, 2): together}))
    assert stacking_pays(recipe, CPU, 3, cache=cache) is pays
    count = len(asked)
    assert stacking_pays(recipe, CPU, 3, cache=cache) is pays
    assert len(asked) == count
    assert any(isinstance(value, float) for value in json.loads(cache.read_text()).values())
    # Another number of models is another question.
    stacking_pays(recipe, CPU, 2, cache=cache)
    assert len(asked) > count


def test_on_a_processor_only_the_smallest_steps_are_stacked(tiny_recipe, monkeypatch):
    monkeypatch.setattr(stack_choice, "choose", lambda *_, **__: pytest.fail("measured on a processor"))
    small, large = with_batch(tiny_recipe, 16), with_batch(tiny_recipe, 16 * 64)
    assert stacking_pays(small, CPU, 2)
    assert not stacking_pays(large, CPU, 2)
    assert not stacking_pays(small, CPU, 1)


def test_a_stack_is_measured_with_ids_for_each_model(steps):
    stack = StackedStep(steps, micro_batch=2, compile_mode=None)
    assert stack.ids_shape() == (2, 3, 33)
    assert 0 < autotune.seconds_per_sequence(stack, CPU) < 60
