"""Tokenizers and shards that trials share: which store serves which trial.

What tokenizer and shards are made of is the ``key`` of a trial. All trials of one key and scale read the same store,
so that a pair differs in nothing but its variant; a store is built for the largest of the trials it is to serve.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smidgen.lab.ablation.trial import Trial
from smidgen.recipes.recipe import Recipe
from smidgen.records import atomic, manifest
from smidgen.records.fingerprint import sha256_of_json
from smidgen.records.run_folder import RunFolder

# Written last: a store without it is not finished.
STORE_NAME = "store.json"


@dataclass(frozen=True, kw_only=True)
class Store:
    """A folder with ``tokenizer`` and ``data`` for ``tokens`` of training; serves trials of a key at some scales."""

    path: Path
    key: str
    scales: tuple[float, ...]
    tokens: int

    @property
    def is_ready(self) -> bool:
        """Whether it is built and known to serve all of its scales."""
        return set(self.scales) <= set(_record(self.path).get("scales", []))

    def write_record(self) -> None:
        scales = sorted({*self.scales, *_record(self.path).get("scales", [])})
        atomic.write_json(self.path / STORE_NAME, {"key": self.key, "scales": scales, "tokens": self.tokens})


def key_of(recipe: Recipe) -> str:
    """Whatever decides over tokenizer and shards but their seed and length."""
    content = recipe.as_dict()
    shape = {name: content["design"][name] for name in ("vocab_size", "context_length")}
    return sha256_of_json({"tokenizer": content["tokenizer"], "data": content["data"], **shape})


def assign_stores(trials: Sequence[Trial], shared: Path) -> dict[str, Store]:
    """The store of each trial by the trial's ``folder_name``.

    A scale stays with the store that it began with, even where a variant that was added later trains on more tokens
    than that was built for. Other scales take a store that is long enough, or one new store together.
    """
    found = _stores_in(shared)
    assigned: dict[str, Store] = {}
    for key in dict.fromkeys(key_of(trial.recipe) for trial in trials):
        own = [trial for trial in trials if key_of(trial.recipe) == key]
        by_scale = _by_scale(key, own, [store for store in found if store.key == key], shared)
        assigned |= {trial.folder_name: by_scale[trial.scale] for trial in own}
    return assigned


def recipe_of(store: Store, trials: Iterable[Trial], *, seed: int) -> Recipe:
    """What a store is built with: the recipe of one of its trials at the store's length and with the base's seed.

    Where some have digit features it is one of these, because the tokenizer has to suit them.
    """
    recipes = [trial.recipe for trial in trials if key_of(trial.recipe) == store.key]
    recipe = next((recipe for recipe in recipes if recipe.design.has_digit_features), recipes[0])
    return replace(recipe, training=replace(recipe.training, tokens=store.tokens, seed=seed))


def link_store(run: RunFolder, store: Path) -> None:
    """Let a run's tokenizer and data lead to a store, relatively, so that both can be moved together.

    What the run has already is left alone, a link that leads nowhere is replaced.
    """
    for link in (run.tokenizer, run.data):
        if link.exists():
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(store / link.name, run.path), target_is_directory=True)


def _by_scale(key: str, trials: Sequence[Trial], found: Sequence[Store], shared: Path) -> Mapping[float, Store]:
    needed = {
        scale: max(trial.recipe.training.tokens for trial in trials if trial.scale == scale)
        for scale in sorted({trial.scale for trial in trials})
    }
    by_scale: dict[float, Store] = {}
    for scale, tokens in needed.items():
        candidates = [store for store in found if scale in store.scales or store.tokens >= tokens]
        if candidates:
            by_scale[scale] = min(candidates, key=lambda store: (scale not in store.scales, store.tokens))
    new = [scale for scale in needed if scale not in by_scale]
    if new:
        tokens = max(needed[scale] for scale in new)
        path = shared / sha256_of_json({"key": key, "tokens": tokens})[:12]
        by_scale |= dict.fromkeys(new, Store(path=path, key=key, scales=(), tokens=tokens))
    # A store that takes on a scale has to remember it.
    return {
        scale: replace(store, scales=tuple(other for other in needed if by_scale[other].path == store.path))
        for scale, store in by_scale.items()
    }


def _stores_in(shared: Path) -> list[Store]:
    records = {file.parent: _record(file.parent) for file in sorted(shared.glob(f"*/{STORE_NAME}"))}
    return [
        Store(path=path, key=record["key"], scales=tuple(record["scales"]), tokens=record["tokens"])
        for path, record in records.items()
        if record.keys() >= {"key", "scales", "tokens"}
    ]


def _record(store: Path) -> dict[str, Any]:
    return manifest.read_record(store / STORE_NAME)
