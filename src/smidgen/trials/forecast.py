"""What an ablation will take: trials, tokens, time as far as speeds are known, disk."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from smidgen.design.flops import flops_per_token
from smidgen.design.parameters import count_parameters
from smidgen.lab.ablation.trial import Trial
from smidgen.recipes.recipe import Recipe
from smidgen.records import manifest
from smidgen.trials.folder import AblationFolder
from smidgen.trials.store import Store

FLOAT32_BYTES = 4
# Of a shard: two up to a vocabulary of 65,535 (data/shards.py).
TOKEN_BYTES = 2


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """``tokens`` and ``seconds`` are those of the trials that have not ended, of which a trial that has begun counts
    in full; ``seconds`` is ``None`` as long as no speed is known. ``disk_bytes`` is the most that all trials and
    stores take, of which ``disk_bytes_left`` may still come; ``free_bytes`` is what the disk has.

    ``sentences`` say more, such as what differences can be found.
    """

    trials: int
    ended: int
    tokens: int
    seconds: float | None
    workers: tuple[str, ...]
    disk_bytes: int
    disk_bytes_left: int
    free_bytes: int
    sentences: tuple[str, ...] = ()


def forecast(
    trials: Sequence[Trial],
    stores: Mapping[str, Store],
    folder: AblationFolder,
    *,
    workers: Sequence[str],
    rates: Mapping[str, float],
    sentences: Sequence[str] = (),
) -> Forecast:
    """``rates`` are tokens per second by variant, as far as they were measured."""
    left = [trial for trial in trials if not folder.has_ended(trial.folder_name)]
    new_stores = {store.path: store for store in stores.values() if not store.is_ready}
    return Forecast(
        trials=len(trials),
        ended=len(trials) - len(left),
        tokens=sum(trial.recipe.training.tokens for trial in left),
        seconds=_seconds(trials, left, folder, workers=len(workers), rates=rates),
        workers=tuple(workers),
        disk_bytes=_disk_bytes(trials, {store.path: store for store in stores.values()}, workers=len(workers)),
        disk_bytes_left=_disk_bytes(left, new_stores, workers=len(workers)),
        free_bytes=shutil.disk_usage(_existing(folder.path)).free,
        sentences=tuple(sentences),
    )


def checkpoint_bytes(recipe: Recipe) -> int:
    """Weights and moments of one checkpoint, with averaged weights where there are any."""
    training = recipe.training
    tensors = 3 + bool(training.ema_decay or training.average_checkpoints)
    return FLOAT32_BYTES * count_parameters(recipe.design).total * tensors


def _disk_bytes(trials: Sequence[Trial], stores: Mapping[Path, Store], *, workers: int) -> int:
    """One checkpoint of each trial, a second one while a worker writes it, and the shards."""
    kept = [checkpoint_bytes(trial.recipe) * _checkpoints(trial.recipe) for trial in trials]
    written = sorted((checkpoint_bytes(trial.recipe) for trial in trials), reverse=True)[:workers]
    return sum(kept) + sum(written) + sum(TOKEN_BYTES * store.tokens for store in stores.values())


def _checkpoints(recipe: Recipe) -> int:
    training = recipe.training
    return training.keep_checkpoints + training.keep_best + max(0, training.average_checkpoints - 1)


def _seconds(
    trials: Sequence[Trial],
    left: Sequence[Trial],
    folder: AblationFolder,
    *,
    workers: int,
    rates: Mapping[str, float],
) -> float | None:
    """By the speed of the variant where it is known, else by the operations per second of those that are."""
    operations = {trial.variant: flops_per_token(trial.recipe.design)["training"] for trial in trials}
    known = {variant: speed for variant, speed in rates.items() if variant in operations}
    for trial in trials:
        speed = manifest.read_record(folder.record_of(trial.folder_name)).get("tokens_per_second")
        if speed:
            known.setdefault(trial.variant, speed)
    if not known:
        return None
    flops_per_second = median(speed * operations[variant] for variant, speed in known.items())
    seconds = [
        trial.recipe.training.tokens / known.get(trial.variant, flops_per_second / operations[trial.variant])
        for trial in left
    ]
    # The last worker may begin the longest trial when the others are done.
    return max(sum(seconds) / workers, max(seconds, default=0.0))


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.absolute().parents) if parent.exists())
