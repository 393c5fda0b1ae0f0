"""What a vocabulary leaves for the rest of a model of a given size, and what a text then costs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from smidgen.design.flops import flops_per_token
from smidgen.design.parameters import count_parameters
from smidgen.errors import BadInput
from smidgen.lab.ablation.equal_parameters import with_parameters_of
from smidgen.model.config import ModelConfig
from smidgen.recipes.recipe import Recipe
from smidgen.tokenization.quality.measurement import Measurement

ADJUSTED = "design.intermediate_size"
# Widths of published models of a few million parameters.
WIDTHS = (128, 192, 256)


def shares(vocab_size: int, recipe: Recipe, widths: Sequence[int] = WIDTHS) -> dict[str, float]:
    """The part of the recipe's parameters that the tables of so many entries take, by width."""
    budget = count_parameters(recipe.design).total
    return {str(width): _tables(recipe.design) * vocab_size * width / budget for width in widths}


def at_equal_parameters(measurement: Measurement, recipe: Recipe) -> dict[str, Any]:
    """The recipe's model with this vocabulary, its feed-forward layers resized so that all has as many parameters.

    ``refused`` says why there is none; where it is empty the rest describes the model: its shape, its parameters by
    part, operations for each byte of the measured text, and how many bytes of it fill the context.
    ``num_layers_that_fit`` is the other way to spend what is left: layers as wide as the recipe's.
    """
    budget = count_parameters(recipe.design).total
    vocab_size = measurement.subject.tokenizer.vocab_size
    tables = _tables(recipe.design) * vocab_size * recipe.design.hidden_size
    found: dict[str, Any] = {
        "name": measurement.subject.name,
        "vocab_size": vocab_size,
        "embedding": tables,
        "embedding_share": tables / budget,
        "left": budget - tables,
        "num_layers_that_fit": _layers_that_fit(recipe.design, vocab_size, budget),
        "refused": "",
    }
    if tables >= budget:
        return {**found, "refused": f"its vocabulary alone takes {tables:,} of {budget:,} parameters"}
    try:
        other = replace(recipe, design=_with_vocabulary(recipe.design, vocab_size))
        resized, _ = with_parameters_of(recipe, other, ADJUSTED, variant=measurement.subject.name)
    except (BadInput, ValueError):
        return {**found, "refused": f"no width of the feed-forward layers comes near {budget:,} parameters"}
    return {**found, **_model(resized.design, measurement)}


def _model(design: ModelConfig, measurement: Measurement) -> dict[str, Any]:
    counts = count_parameters(design)
    per_token = flops_per_token(design)
    bytes_per_token = measurement.bytes_per_token or 1.0
    return {
        "parameters": counts.total,
        "parts": {part: number for part, number in counts.as_dict().items() if part != "total" and number},
        "intermediate_size": design.intermediate_size,
        "num_layers": design.num_layers,
        "hidden_size": design.hidden_size,
        "flops_per_token": per_token,
        "flops_per_byte": {kind: number / bytes_per_token for kind, number in per_token.items()},
        "context_bytes": design.context_length * bytes_per_token,
    }


def _tables(design: ModelConfig) -> int:
    return 1 if design.tie_embeddings else 2


def _with_vocabulary(design: ModelConfig, vocab_size: int) -> ModelConfig:
    """The ids of digits are those of another tokenizer then."""
    return replace(design, vocab_size=vocab_size, digit_token_ids=None)


def _layers_that_fit(design: ModelConfig, vocab_size: int, budget: int) -> int:
    """0 where the tables alone are too large."""
    one = count_parameters(replace(_with_vocabulary(design, vocab_size), num_layers=1)).total
    layer = count_parameters(replace(_with_vocabulary(design, vocab_size), num_layers=2)).total - one
    return max(0, (budget - (one - layer)) // layer)
