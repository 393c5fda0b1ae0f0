"""What an ablation compares: the file that defines it, read, resolved and checked before anything runs."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput
from smidgen.lab.ablation.budget import BASE, Budget
from smidgen.lab.ablation.halving import Halving
from smidgen.lab.ablation.identity import decisive
from smidgen.lab.ablation.sweep import NAME_PREFIX, Settings, Sweep, SweepFile, read_sweep
from smidgen.lab.ablation.sweep_axis import axes_in
from smidgen.recipes.loading import load_recipe, read_toml, setting_of, shipped_names
from smidgen.recipes.recipe import Recipe
from smidgen.recipes.validation import validated
from smidgen.records.fingerprint import sha256_of_json
from smidgen.records.run_folder import differing_keys

# Always scored, whatever `tasks` says.
BITS_PER_BYTE = "bits-per-byte"
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
# Keys of a recipe that belong to the ablation, and where they are said instead.
_OURS = {
    "training.seed": "the seeds are the same for all, and stand in `seeds`",
    "training.tokens": "the length of training is the budget's; it stands under [budget]",
    "evaluation.tasks": "all are scored on the same; it stands in `tasks`",
}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One recipe of the comparison. ``settings`` are what it changes, by dotted key; the base changes nothing.

    ``recipe`` is resolved, but for seed, budget and tasks.
    """

    name: str
    settings: dict[str, Any]
    recipe: Recipe

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "settings": self.settings, "recipe": self.recipe.as_dict()}


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """A base, its variants (the base not among them), and the conditions under which all of them are trained.

    ``source`` is the base as it is named: a shipped recipe, or the absolute path of a file. ``settings`` and ``data``
    are what is changed of it for all, as of ``load_recipe``.
    """

    name: str
    question: str
    source: str
    base: Variant
    variants: tuple[Variant, ...]
    seeds: tuple[int, ...]
    tasks: tuple[str, ...]
    budget: Budget
    halving: Halving | None
    sweep: Sweep | None = None
    settings: Settings = field(default_factory=dict)
    data: tuple[str, ...] = ()

    def variant(self, name: str, settings: Settings) -> Variant:
        """A further variant. Raises ``BadInput`` where its settings make no recipe."""
        recipe = _resolved(self.source, {**self.settings, **settings}, self.data, origin=name)
        return Variant(name=name, settings=settings, recipe=recipe)

    @property
    def everyone(self) -> tuple[Variant, ...]:
        """The base, then its variants."""
        return (self.base, *self.variants)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as ``definition.json`` keeps it."""
        return {
            "name": self.name,
            "question": self.question,
            "base": self.base.as_dict(),
            "variants": [variant.as_dict() for variant in self.variants],
            "seeds": list(self.seeds),
            "tasks": list(self.tasks),
            "budget": self.budget.as_dict(),
            "halving": None if self.halving is None else self.halving.as_dict(),
            "sweep": None if self.sweep is None else self.sweep.as_dict(),
            "fingerprint": self.fingerprint,
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides on the result; the wording of the question does not."""
        return sha256_of_json(
            {
                "name": self.name,
                "recipes": {variant.name: variant.recipe.as_dict() for variant in self.everyone},
                "seeds": list(self.seeds),
                "tasks": list(self.tasks),
                "budget": self.budget.as_dict(),
                "halving": None if self.halving is None else self.halving.as_dict(),
                **({} if self.sweep is None else {"sweep": self.sweep.as_dict()}),
            }
        )

    def why_not_continuing(self, stored: Mapping[str, Any]) -> str:
        """Why a folder with this stored definition cannot be gone on with, in words; empty where it can be.

        Seeds, variants and scales may have been added since; variants not under ``halving``, where they compete.
        """
        try:
            return self._difference_from(stored)
        except (KeyError, TypeError):
            return "what it says about its definition is damaged"

    def _difference_from(self, stored: Mapping[str, Any]) -> str:
        for key, mine in _fixed_part(self.as_dict()).items():
            theirs = _fixed_part(stored)[key]
            if mine != theirs:
                return f"its {key} was {_short(theirs)} and is now {_short(mine)}"
        recipes = {one.name: one.recipe for one in self.everyone}
        for entry in (stored["base"], *stored["variants"]):
            if entry["name"] not in recipes:
                return f"it has the variant {entry['name']}, which the definition no longer has"
            changed = differing_keys(_completed(entry["recipe"]), recipes[entry["name"]].as_dict())
            if changed:
                return f"{entry['name']} differs in {', '.join(changed[:5])}{' ...' if len(changed) > 5 else ''}"
        for noun, theirs, mine in (
            ("seed", stored["seeds"], self.seeds),
            ("scale", stored["budget"]["scales"], self.budget.scales),
        ):
            missing = [value for value in theirs if value not in mine]
            if missing:
                return f"it has the {noun} {missing[0]}, which the definition no longer has"
        if self.halving is not None and len(recipes) > 1 + len(stored["variants"]):
            return "variants were added, which under [halving] would have competed with those that were stopped"
        return ""


@dataclass(frozen=True, kw_only=True)
class AblationFile:
    """The form of the file. ``set`` and the variants hold keys of recipes, which are checked with the recipes."""

    base: str
    name: str = ""
    question: str = ""
    seeds: tuple[int, ...] = (1, 2, 3)
    tasks: tuple[str, ...] = ()
    set: dict[str, Any] = field(default_factory=dict)
    data: dict[str, tuple[str, ...]] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    variants: dict[str, dict[str, Any]] = field(default_factory=dict)
    halving: Halving | None = None
    sweep: SweepFile | None = None

    def __post_init__(self) -> None:
        _check_names(self.name, list(self.variants))
        _check_seeds(self.seeds)
        repeated = [task for task in self.tasks if self.tasks.count(task) > 1]
        if repeated:
            raise ValueError(f"tasks names {repeated[0]} twice; once is enough")
        if self.halving is not None and self.sweep is not None:
            raise ValueError(
                "[halving] and [sweep] both stop trials early, and variants that the sweep finds would compete with "
                'those of the file; leave [halving] out: sweep.pruner = "halving" works'
            )
        if self.halving is not None and len(self.variants) < 2:
            raise ValueError(
                f"halving stops the worse of several variants, and the file has {len(self.variants) or 'none'}; "
                "leave [halving] out, or add variants"
            )


def read_ablation(path: Path, *, overrides: Sequence[str] = (), data: Sequence[str] = ()) -> Ablation:
    """Read a definition; ``overrides`` and ``data``, as of ``load_recipe``, come on top of the file's.

    Paths in the file are relative to it, those of ``data`` to the current folder; both become absolute, so that the
    ablation can be gone on with from elsewhere. Raises ``BadInput`` with one sentence for anything that cannot be
    used.
    """
    file = validated(AblationFile, _with_lists(read_toml(_text_of(path), origin=str(path))), origin=str(path))
    folder = path.parent
    source = _anchored(file.base, folder) if _is_file(file.base) else file.base
    shared = {**dotted(file.set), **dict(map(setting_of, overrides))}
    _refuse_ours(shared, origin=f"{path}, [set] or --set")
    sources = _sources(file.data, folder, data)
    base = Variant(name=BASE, settings={}, recipe=_resolved(source, shared, sources, origin=str(path)))
    variants = tuple(
        _variant(name, dotted(settings), source, shared, sources, file.budget, origin=f"{path}, variant {name}")
        for name, settings in file.variants.items()
    )
    _check_differences(base, variants, path)
    sweep = _sweep(file, base, source, shared, sources, origin=str(path))
    budget = file.budget
    if budget.equal in ("tokens", "parameters") and budget.tokens is None:
        budget = replace(budget, tokens=base.recipe.training.tokens)
    return Ablation(
        name=file.name or path.stem,
        question=file.question,
        source=source,
        base=base,
        variants=variants,
        seeds=file.seeds,
        tasks=tuple(_task(task, folder) for task in file.tasks if task != BITS_PER_BYTE),
        budget=budget,
        halving=file.halving,
        sweep=sweep,
        settings=shared,
        data=tuple(sources),
    )


def dotted(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by dotted key. Tables merge key by key; a quoted key with dots sets all that it names, as --set does."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and "." not in key:
            found |= dotted(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _variant(
    name: str,
    settings: dict[str, Any],
    source: str,
    shared: Mapping[str, Any],
    sources: Sequence[str],
    budget: Budget,
    *,
    origin: str,
) -> Variant:
    if not settings:
        raise BadInput(f'{origin} changes nothing; give it a key of the recipe, such as "design.xsa" = false')
    _refuse_ours(settings, origin=origin)
    if budget.adjust in settings:
        raise BadInput(
            f"{origin} sets {budget.adjust}, which the budget adjusts to make the parameters equal; "
            "adjust another key, or hold tokens equal"
        )
    recipe = _resolved(source, {**shared, **settings}, sources, origin=origin)
    return Variant(name=name, settings=settings, recipe=recipe)


def _resolved(source: str, settings: Mapping[str, Any], sources: Sequence[str], *, origin: str) -> Recipe:
    try:
        return load_recipe(source, data=sources, settings=settings)
    except BadInput as error:
        raise BadInput(f"{origin}: {error}") from error


def _sweep(
    file: AblationFile, base: Variant, source: str, shared: Settings, sources: Sequence[str], *, origin: str
) -> Sweep | None:
    if file.sweep is None:
        return None
    keys = axes_in(file.sweep.axes)
    _refuse_ours(keys, origin=f"{origin}, [sweep.axes]")
    if file.budget.adjust in keys:
        raise BadInput(
            f"{origin}, [sweep.axes] sets {file.budget.adjust}, which the budget adjusts to make the parameters "
            "equal; adjust another key, or hold tokens equal"
        )
    if file.budget.needed_rate:
        raise BadInput(
            f"{origin}: a budget of {file.budget.equal} cannot be held equal in a sweep, because "
            f"{file.budget.needed_rate} of settings that are not chosen yet cannot be measured; "
            'equal = "tokens" or "flops" works'
        )
    if "training.data_order" in keys:
        raise BadInput(
            f"{origin}, [sweep.axes] sets training.data_order, whose values differ by luck alone; sweep something "
            "that can be better"
        )

    def resolved(settings: Settings, place: str) -> Recipe:
        return _resolved(source, {**shared, **settings}, sources, origin=place)

    return read_sweep(file.sweep, base.recipe, resolved, seeds=file.seeds, origin=origin)


def _refuse_ours(settings: Mapping[str, Any], *, origin: str) -> None:
    for key, reason in _OURS.items():
        if key in settings:
            raise BadInput(f"{origin} sets {key}, which is no variant's own: {reason}")


def _check_differences(base: Variant, variants: Sequence[Variant], path: Path) -> None:
    contents = {one.name: decisive(one.recipe) for one in (base, *variants)}
    for first, second in combinations(contents, 2):
        if contents[first] == contents[second]:
            settings = next(one.settings for one in variants if one.name == second)
            raise BadInput(
                f"{path}: variant {second} (with {', '.join(settings)}) trains the same model as "
                f"{'the base' if first == BASE else f'variant {first}'}; change something that training depends on, "
                "or leave it out"
            )


def _check_names(name: str, variants: Sequence[str]) -> None:
    if name:
        _check_folder_name("name", name)
    taken = {BASE: BASE}
    for variant in variants:
        _check_folder_name(f"variants.{variant}", variant)
        if variant.lower().startswith(NAME_PREFIX):
            raise ValueError(f"variants.{variant}: names that begin with {NAME_PREFIX} are a sweep's; rename it")
        other = taken.setdefault(variant.lower(), variant)
        if other != variant or variant == BASE:
            raise ValueError(
                f"variants.{variant}: the folder of {other} is taken, and capitals do not tell folders apart "
                "everywhere; choose another name"
            )


def _check_folder_name(key: str, name: str) -> None:
    if not FOLDER_NAME.fullmatch(name):
        raise ValueError(
            f"{key}: {name!r} names a folder, so it takes up to 64 letters, digits and . _ + - and begins with a "
            "letter or digit"
        )


def _check_seeds(seeds: Sequence[int]) -> None:
    repeated = [seed for seed in seeds if seeds.count(seed) > 1]
    if repeated:
        raise ValueError(f"seeds names {repeated[0]} twice, and equal seeds train equal models; give different ones")
    if len(seeds) < 2:
        raise ValueError(
            f"seeds gives {len(seeds)}, and the noise between trainings takes 2 or more to be seen; 3 is usual"
        )
    if min(seeds) < 0:
        raise ValueError(f"seeds names {min(seeds)}; whole numbers from 0 work")


def _with_lists(content: dict[str, Any]) -> dict[str, Any]:
    """The file's content with the short forms written out: a number of seeds, a single path."""
    seeds = content.get("seeds")
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        content = {**content, "seeds": list(range(1, seeds + 1))}
    if isinstance(content.get("data"), dict):
        data = {name: [value] if isinstance(value, str) else value for name, value in content["data"].items()}
        content = {**content, "data": data}
    return content


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInput(f"{path} cannot be read ({reason}); give the .toml file that defines an ablation") from error


def _is_file(base: str) -> bool:
    return base.endswith(".toml") and base not in shipped_names()


def _task(task: str, folder: Path) -> str:
    """A task by name, or the path of a user's own."""
    return _anchored(task, folder) if task.endswith((".toml", ".jsonl")) else task


def _sources(stated: Mapping[str, Sequence[str]], folder: Path, given: Sequence[str]) -> list[str]:
    """``NAME=PATH`` of the file, where none is given from outside, and of those given."""
    replaced = {item.partition("=")[0] for item in given}
    kept = [f"{name}={path}" for name, paths in stated.items() if name not in replaced for path in paths]
    return [*(_with_anchor(item, folder) for item in kept), *(_with_anchor(item, Path()) for item in given)]


def _with_anchor(item: str, folder: Path) -> str:
    name, _, path = item.partition("=")
    return f"{name}={_anchored(path, folder)}" if path else item


def _anchored(path: str, folder: Path) -> str:
    """Absolute, without following links: what lies behind a path may move."""
    return os.path.abspath(folder / path)


def _completed(recipe: dict[str, Any]) -> dict[str, Any]:
    """A stored recipe with the keys that came later, whose defaults are what it was trained with."""
    return validated(Recipe, recipe, origin="the stored recipe").as_dict()


def _fixed_part(definition: Mapping[str, Any]) -> dict[str, Any]:
    """What must not change between two sittings; recipes, seeds and scales are looked at one by one."""
    budget = {key: value for key, value in definition["budget"].items() if key != "scales"}
    return {
        "name": definition["name"],
        "tasks": definition["tasks"],
        "budget": budget,
        "halving": definition["halving"],
        "sweep": definition.get("sweep"),
    }


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
