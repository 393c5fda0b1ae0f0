"""Everything ``smidgen design`` says about a design, as plain data."""

from dataclasses import asdict
from typing import Any

from smidgen.design.findings import diagnose
from smidgen.design.flops import flops_per_token
from smidgen.design.memory import memory_bytes
from smidgen.design.parameters import count_parameters
from smidgen.model.config import ModelConfig
from smidgen.recipes.recipe import Recipe


def summarise(config: ModelConfig, *, name: str, training_tokens: int | None = None) -> dict[str, Any]:
    """Parameters, operations and memory by part, and the findings."""
    return {
        "name": name,
        "parameters": count_parameters(config).as_dict(),
        "flops_per_token": flops_per_token(config),
        "memory": memory_bytes(config),
        "findings": [asdict(finding) for finding in diagnose(config, training_tokens=training_tokens)],
    }


def summarise_recipe(recipe: Recipe) -> dict[str, Any]:
    return summarise(recipe.design, name=recipe.name, training_tokens=recipe.training.tokens)
