"""How fast a variant trains here: for budgets in seconds, and for plans."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from smidgen.data.training_data import TrainingData
from smidgen.errors import Interrupted
from smidgen.model.config import DigitTokenIds, ModelConfig
from smidgen.recipes.loading import recipe_from_dict
from smidgen.recipes.recipe import Recipe
from smidgen.records.run_folder import RunFolder
from smidgen.stopping import StopRequest
from smidgen.training.device import choose_device, deterministic, wait_for
from smidgen.training.trainer import Trainer
from smidgen.trials.job import Job

# Steps before the clock starts: the first compiles, and a GPU's second and third still settle (assumed).
WARM_UP_STEPS = 3
# Then it runs until both are reached: steps differ by a few per cent, and neighbours come and go (assumed enough).
MEASURED_STEPS, MEASURED_SECONDS = 5, 3.0


def measure_rates(job: Job, tell: Callable[..., None], stop_requested: StopRequest) -> dict[str, Any]:
    """Tokens per second of the steps of each variant of a job, by name."""
    return {
        "rates": {
            work.name: tokens_per_second(
                recipe_from_dict(work.recipe, origin=work.name), device=job.device, stop_requested=stop_requested
            )
            for work in job.works
        }
    }


def tokens_per_second(recipe: Recipe, *, device: str | None, stop_requested: Callable[[], bool]) -> float:
    """Speed of a recipe's training steps on random tokens, whose values it does not depend on.

    Raises ``Interrupted`` when asked to stop, ``BadInput`` for a device that is not here.
    """
    place = choose_device(device)
    with TemporaryDirectory() as folder, deterministic(place):
        trainer = Trainer(recipe, RunFolder(Path(folder)), _random_data(recipe), _config(recipe.design), device=place)
        for _ in range(WARM_UP_STEPS):
            _step(trainer, stop_requested)
        wait_for(place)
        started, steps, tokens = time.perf_counter(), 0, 0
        while steps < MEASURED_STEPS or time.perf_counter() - started < MEASURED_SECONDS:
            tokens += _step(trainer, stop_requested)
            steps += 1
        wait_for(place)
        return tokens / (time.perf_counter() - started)


def _step(trainer: Trainer, stop_requested: Callable[[], bool]) -> int:
    """Train one step and return its tokens; after the last one of a short run comes its first again."""
    if stop_requested():
        raise Interrupted("stopped while measuring how fast the variants train; repeat the command to go on")
    trainer.step %= trainer.plan.steps
    before = trainer.tokens
    trainer.update_weights(*trainer.compute_gradients())
    return trainer.tokens - before


@dataclass(frozen=True)
class _RandomShard:
    tokens: npt.NDArray[np.uint32]


def _random_data(recipe: Recipe) -> TrainingData:
    """As much as `TrainingData` is asked for by steps: windows of every source, and no held-out text."""
    design = recipe.design
    ids = np.random.default_rng(1).integers(design.vocab_size, size=8 * design.context_length + 1, dtype=np.uint32)
    shards = {name: cast(Any, _RandomShard(ids)) for name in recipe.data.sources}
    index = {"context_length": design.context_length, "end_of_text_id": 0}
    return TrainingData(folder=Path(), index=index, train=shards, held_out={})


def _config(design: ModelConfig) -> ModelConfig:
    """The design with ids for its digits, which its features cost the same for, whichever they are."""
    if not design.has_digit_features:
        return design
    ids = DigitTokenIds(
        digits=tuple(range(10)), operators=(10, 11, 12, 13), open_parenthesis=14, close_parenthesis=15, equals=16
    )
    return replace(design, digit_token_ids=ids)
