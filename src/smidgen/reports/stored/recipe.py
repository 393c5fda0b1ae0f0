"""``recipe.json``: the recipe the run began with."""

import re
from dataclasses import dataclass
from typing import Any

from smidgen.records.run_folder import RunFolder
from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, number, optional, plain, sequence, text, whole

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class RecipeSource:
    """Where one source's documents come from; ``hub`` is empty unless it is a well-formed dataset name."""

    hub: str
    generator: str
    license: str
    purpose: str


@dataclass(frozen=True, kw_only=True)
class SelfReported:
    """A score that the authors of a published model state, without an interval."""

    task: str
    metric: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Published:
    parameters: int | None
    tokens: int | None
    license: str
    scores: tuple[SelfReported, ...]


@dataclass(frozen=True, kw_only=True)
class StoredRecipe:
    name: str
    description: str
    source: str
    sha256: str
    inferred: tuple[str, ...]
    design: dict[str, Any]
    tokenizer: dict[str, Any]
    training: dict[str, Any]
    sampling: dict[str, Any]
    sources: dict[str, RecipeSource]
    published: Published

    @property
    def context_length(self) -> int | None:
        return self.design.get("context_length")

    @property
    def planned_tokens(self) -> int | None:
        return self.training.get("tokens")

    def is_fulfilled_by(self, tokens: int) -> bool:
        """Whether so many trained tokens are what is planned, but for the part of a batch that may be left over."""
        return bool(self.planned_tokens) and tokens >= self.planned_tokens - self.training.get("batch_tokens", 0)


def read_recipe(run: RunFolder) -> StoredRecipe | None:
    """Raises ``BadInput`` also when the recipe was edited after the run began."""
    if not run.exists:
        return None
    with damage_named(run.recipe):
        recipe = run.stored_recipe()
        return _recipe(mapping(recipe), text((read_object(run.recipe) or {})["sha256"]))


def _recipe(recipe: dict[str, Any], sha256: str) -> StoredRecipe:
    sources = mapping(recipe.get("data", {}).get("sources", {}))
    return StoredRecipe(
        name=text(recipe["name"]),
        description=text(recipe.get("description", "")),
        source=text(recipe.get("source", "")),
        sha256=sha256,
        inferred=tuple(text(key) for key in recipe.get("inferred", ())),
        design=plain(mapping(recipe.get("design", {}))),
        tokenizer=plain(mapping(recipe.get("tokenizer", {}))),
        training=plain(mapping(recipe.get("training", {}))),
        sampling=plain(mapping(recipe.get("sampling", {}))),
        sources={name: _source(mapping(source)) for name, source in sources.items()},
        published=_published(mapping(recipe.get("published") or {})),
    )


def _source(source: dict[str, Any]) -> RecipeSource:
    hub = text(source.get("hub", ""))
    return RecipeSource(
        hub=hub if _HUB_NAME.fullmatch(hub) else "",
        generator=text(source.get("generator", "")),
        license=text(source.get("license", "")),
        purpose=text(source.get("purpose", "")),
    )


def _published(published: dict[str, Any]) -> Published:
    return Published(
        parameters=optional(whole, published.get("parameters")),
        tokens=optional(whole, published.get("tokens")),
        license=text(published.get("license", "")),
        scores=tuple(_self_reported(mapping(score)) for score in sequence(published.get("scores") or [])),
    )


def _self_reported(score: dict[str, Any]) -> SelfReported:
    return SelfReported(task=text(score["task"]), metric=text(score["metric"]), value=number(score["value"]))
