"""How the passes of a stack are computed, and whether that is faster than its models one after the other."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from smidgen.design.flops import flops_per_token
from smidgen.errors import OutOfResources
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.recipe import Recipe
from smidgen.training import autotune
from smidgen.training.autotune import Choice
from smidgen.training.device import compute_dtype, should_compile
from smidgen.training.plan import CPU_MICRO_BATCH_TOKENS, TrainingPlan, micro_batches, plan_training
from smidgen.training.stack_step import StackedStep
from smidgen.training.step import Step

# What a stack has to gain at least: below, runs that nothing ties together are worth more (assumed).
LEAST_GAIN = 1.1
# Operations of one model's step up to which a stack gains that much on a processor, where what it saves is the host's
# work between small products. Measured with 2 and 8 models of the quickstart's shape, uncompiled, in processor time
# (benchmarks/stacked_training.py, 2026-11-21): 1.12 and 1.35 times at 1.9e9 operations, 1.06 and 1.14 at 7.8e9, 1.00
# and 0.99 at 1.6e10, where 16 models are at 0.86 because their passes get short.
CPU_STEP_FLOPS = 2e9
# Any id does for measuring.
END_OF_TEXT_ID = 0


def sizes_of_passes(plan: TrainingPlan, models: int, device: torch.device) -> list[int]:
    """Sequences of each model in a pass, rising, all of them divisors of a step.

    On a processor the passes of all models together get no longer than those of one alone, because more only costs
    memory there. On a GPU each model may take what it may take alone.
    """
    most = max(1, CPU_MICRO_BATCH_TOKENS // plan.context_length // models)
    most = min(plan.micro_batch, most) if device.type == "cpu" else plan.micro_batch
    return [size for size in micro_batches(plan.phases) if size <= most]


def choose(steps: Sequence[Step], sizes: Sequence[int], *, compiled: bool, cache: Path | None = None) -> Choice:
    """How a stack of these ``steps`` computes: on a GPU as measured, once, else in passes of the largest size."""
    usual = Choice(micro_batch=sizes[-1], compile_mode="default" if compiled else None)
    if not autotune.is_worth_it(steps[0].device):
        return usual
    tried = list(sizes)[-autotune.SIZES_TRIED :]

    def found() -> Choice | None:
        return autotune.fastest(tried, compiled=compiled, seconds_of=lambda choice: _seconds_together(steps, choice))

    key = _key(steps, sizes=tried, compiled=compiled)
    return autotune.remembered(key, cache or autotune.default_cache(), found) or usual


def stacking_pays(recipe: Recipe, device: torch.device, count: int, *, cache: Path | None = None) -> bool:
    """Whether ``count`` models of a recipe's design train faster as a stack than one after the other on this device.

    On a GPU that is measured, in a minute or two, and remembered for the device and the shape. On a processor only
    the smallest steps gain.
    """
    if count < 2:
        return False
    if not autotune.is_worth_it(device):
        step_flops = flops_per_token(recipe.design)["training"] * recipe.training.batch_tokens
        return device.type == "cpu" and step_flops <= CPU_STEP_FLOPS
    cache = cache or autotune.default_cache()
    steps = _fresh_steps(recipe, device, count)
    key = _key(steps, gain_over=1, sizes=_sizes(recipe, device, count), tokens=recipe.training.tokens)
    gain = autotune.read_cache(cache).get(key)
    if not isinstance(gain, float):
        gain = _gain(recipe, steps, cache)
        autotune.add_to_cache(cache, key, gain)
    return gain >= LEAST_GAIN


def _gain(recipe: Recipe, steps: Sequence[Step], cache: Path) -> float:
    """How many times as fast as one after the other the stack of these steps is; 0 where memory does not hold it."""
    first, tokens = steps[0], recipe.training.tokens
    way: dict[str, Any] = {"device": first.device, "dtype": first.dtype, "end_of_text_id": first.end_of_text_id}
    one = autotune.autotuned(
        first.decoder,
        first.settings,
        **way,
        sizes=_sizes(recipe, first.device, 1),
        compiled=should_compile(first.settings.compile, tokens)[0],
        cache=cache,
    )
    all_of_them = choose(
        steps,
        _sizes(recipe, first.device, len(steps)),
        compiled=should_compile(first.settings.compile, tokens * len(steps))[0],
        cache=cache,
    )
    if one is None:
        return 0.0
    alone = autotune.seconds_per_sequence(Step(first.decoder, first.settings, **way, **asdict(one)), first.device)
    try:
        return len(steps) * alone / _seconds_together(steps, all_of_them)
    except OutOfResources:
        return 0.0


def _sizes(recipe: Recipe, device: torch.device, models: int) -> list[int]:
    return sizes_of_passes(plan_training(recipe, device_type=device.type), models, device)


def _fresh_steps(recipe: Recipe, device: torch.device, count: int) -> list[Step]:
    """Steps of models that are there to be measured only."""
    dtype = compute_dtype(device, recipe.training.precision)
    end_of_text_id = END_OF_TEXT_ID if recipe.training.document_masks else None
    steps = []
    for seed in range(count):
        decoder = Decoder(recipe.design).to(device)
        initialise(decoder, seed)
        steps.append(
            Step(
                decoder,
                recipe.training,
                device=device,
                dtype=dtype,
                micro_batch=1,
                compile_mode=None,
                end_of_text_id=end_of_text_id,
            )
        )
    return steps


def _seconds_together(steps: Sequence[Step], choice: Choice) -> float:
    """For a sequence of each model."""
    try:
        return autotune.seconds_per_sequence(StackedStep(steps, **asdict(choice)), steps[0].device)
    finally:
        for step in steps:
            step.forget_gradients()


def _key(steps: Sequence[Step], **more: object) -> str:
    first = steps[0]
    return autotune.key_of(
        first.decoder, first.settings, device=first.device, dtype=first.dtype, models=len(steps), **more
    )
