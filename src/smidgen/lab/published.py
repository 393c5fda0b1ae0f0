"""What others report of their models: reference rows beside what was measured here, and marked as self-reported."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from smidgen.lab.metric import Metric
from smidgen.recipes.loading import load_recipe, shipped_names

# Names of tasks as this program has them; cards also report averages and figures of harnesses of their own.
TASK = re.compile(r"[a-z0-9_]+")
METRICS = ("acc", "acc_norm", "word_perplexity")


@dataclass(frozen=True, kw_only=True)
class PublishedModel:
    """A model's self-reported scores: accuracies as fractions, by task and metric. Nobody printed an error bar."""

    name: str
    org: str
    parameters: int | None
    tokens: int | None
    sources: tuple[str, ...]
    scores: dict[str, dict[str, float]]

    def as_dict(self) -> dict[str, Any]:
        return {
            "model": self.name,
            "org": self.org,
            "parameters": self.parameters,
            "tokens": self.tokens,
            "sources": list(self.sources),
            "scores": self.scores,
            "kind": "self-reported",
        }


def published_models() -> list[PublishedModel]:
    """Those of the shipped recipes and of ``published.toml``; two entries of one name are one model."""
    models: dict[str, PublishedModel] = {}
    for model in (*_of_recipes(), *_of_file()):
        known = models.get(model.name)
        models[model.name] = model if known is None else _joined(known, model)
    return list(models.values())


def _of_recipes() -> Iterator[PublishedModel]:
    for recipe in map(load_recipe, shipped_names()):
        if not recipe.published.scores:
            continue
        org, name = recipe.source.rstrip("/").split("/")[-2:]
        scores: dict[str, dict[str, float]] = {}
        for score in recipe.published.scores:
            if TASK.fullmatch(score.task) and score.metric in METRICS:
                scores.setdefault(score.task, {})[score.metric] = _fraction(score.metric, score.value)
        yield PublishedModel(
            name=name,
            org=org,
            parameters=recipe.published.parameters,
            tokens=recipe.published.tokens,
            sources=(recipe.source,),
            scores=scores,
        )


def _of_file() -> Iterator[PublishedModel]:
    text = resources.files("smidgen.lab").joinpath("published.toml").read_text("utf-8")
    for entry in tomllib.loads(text)["models"]:
        yield PublishedModel(
            name=entry["name"],
            org=entry.get("org", ""),
            parameters=entry.get("parameters"),
            tokens=entry.get("tokens"),
            sources=(entry["source"],),
            scores={
                task: {metric: _fraction(metric, value) for metric, value in metrics.items()}
                for task, metrics in entry["scores"].items()
            },
        )


def _joined(first: PublishedModel, second: PublishedModel) -> PublishedModel:
    return PublishedModel(
        name=first.name,
        org=first.org,
        parameters=first.parameters,
        tokens=first.tokens,
        sources=(*first.sources, *second.sources),
        scores=first.scores | second.scores,
    )


def _fraction(metric: str, value: float) -> float:
    return value if Metric(metric).units else round(value / 100, 6)
