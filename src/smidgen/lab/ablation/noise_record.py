"""The noise floors of a recipe, kept with it, so that later ablations know their power before anything runs."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smidgen.lab.ablation.identity import decisive
from smidgen.lab.ablation.noise_floor import NoiseFloor
from smidgen.recipes.recipe import Recipe
from smidgen.records import atomic, manifest
from smidgen.records.fingerprint import sha256_of_json


def noise_file(source: str, folder: Path) -> Path:
    """Where the noise of a recipe is kept: beside its file, or for a shipped one in a folder of the user."""
    name = f"{Path(source).name.removesuffix('.toml')}.noise.json"
    return Path(source).parent / name if source.endswith(".toml") else folder / name


def keep_noise(file: Path, recipe: Recipe, floors: Sequence[NoiseFloor]) -> None:
    """Add what was measured; of one task at one length the floor of most seeds stays, of as many the newest.

    ``recipe`` is the base's, whatever its seed and length. Raises ``OSError`` where the file cannot be written.
    """
    fingerprint = _fingerprint(recipe)
    entries = {_key(entry): entry for entry in _entries(file)}
    for floor in floors:
        entry = {"recipe": fingerprint, **floor.as_dict()}
        if entries.get(_key(entry), {"seeds": 0})["seeds"] <= floor.seeds:
            entries[_key(entry)] = entry
    atomic.write_json(file, {"noise": list(entries.values())})


def known_noise(file: Path, recipe: Recipe, tokens: int) -> list[NoiseFloor]:
    """What is known of this recipe: of each task the floor at the length nearest to ``tokens``; empty for none.

    A floor tells its own ``tokens``: at another length it is a guess.
    """
    mine = [entry for entry in _entries(file) if entry.get("recipe") == _fingerprint(recipe)]
    mine.sort(key=lambda entry: abs(math.log(entry["tokens"] / tokens)))
    nearest: dict[str, dict[str, Any]] = {}
    for entry in mine:
        nearest.setdefault(entry["task"], entry)
    names = NoiseFloor.__dataclass_fields__
    return [NoiseFloor(**{name: entry[name] for name in names}) for entry in nearest.values()]


def _fingerprint(recipe: Recipe) -> str:
    """What the noise belongs to: all that decides on the model but seed and length."""
    content = decisive(recipe)
    del content["training"]["seed"], content["training"]["tokens"]
    return sha256_of_json(content)


def _key(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[name] for name in ("recipe", "tokens", "task", "metric"))


def _entries(file: Path) -> list[dict[str, Any]]:
    """What the file holds; nothing where it is missing or damaged, which only costs a forecast."""
    needed = {"recipe", *NoiseFloor.__dataclass_fields__}
    entries = manifest.read_record(file).get("noise", [])
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, dict) and needed <= entry.keys()]
