"""One tokenizer described, or several side by side, as plain data."""

from collections.abc import Sequence
from typing import Any

from smidgen.design.parameters import count_parameters
from smidgen.lab.tokenizers.compression import bytes_per_token, difference, domains_of
from smidgen.lab.tokenizers.equal_parameters import WIDTHS, at_equal_parameters, shares
from smidgen.recipes.recipe import Recipe
from smidgen.tokenization.quality.measurement import Measurement

# Every kind of thing that tokenizers treat differently, in one breath.
SAMPLE = (
    "The NASA launch wasn't in McDonald's: 12,345 + 678 = 13,023.\n"
    '    if x_1 >= 2024: return "naïve café"  # 日本語 😀'
)


def described(
    measurement: Measurement, recipe: Recipe, *, widths: Sequence[int] = WIDTHS, sample: str = SAMPLE
) -> dict[str, Any]:
    """What ``inspect`` says, with intervals of bytes per token, the shares of parameters at some widths, a model of
    the recipe's size with this vocabulary, and a sample in pieces.
    """
    return {
        "name": measurement.subject.name,
        **measurement.as_dict(),
        "bytes_per_token_intervals": {
            domain: bytes_per_token(measurement, domain).as_dict() for domain in domains_of(measurement)
        },
        "parameter_shares": shares(measurement.subject.tokenizer.vocab_size, recipe, widths),
        "equal_parameters": {
            "recipe": recipe.name,
            "budget": count_parameters(recipe.design).total,
            **at_equal_parameters(measurement, recipe),
        },
        "sample": _sample(measurement, sample),
    }


def compared(
    measurements: Sequence[Measurement], recipe: Recipe, *, widths: Sequence[int] = WIDTHS, sample: str = SAMPLE
) -> dict[str, Any]:
    """Each described, and the later ones held against the first, domain by domain."""
    first, *others = measurements
    rows = [described(one, recipe, widths=widths, sample=sample) for one in measurements]
    return {
        "tokenizers": rows,
        "comparison": {
            "against": first.subject.name,
            "recipe": recipe.name,
            "differences": [difference(first, other, domain) for other in others for domain in domains_of(first)],
            "training_cost_of_the_same_text": _costs(rows),
        },
    }


def _costs(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Operations of training on a byte, as multiples of the first tokenizer's; those without a model left out."""
    found = {row["name"]: row["equal_parameters"].get("flops_per_byte") for row in rows}
    first = found[rows[0]["name"]]
    return {name: cost["training"] / first["training"] for name, cost in found.items() if cost and first}


def _sample(measurement: Measurement, text: str) -> dict[str, Any]:
    tokenizer = measurement.subject.tokenizer
    token_ids = next(iter(tokenizer.encode_stream([text])))
    kinds = measurement.kinds
    return {
        "text": text,
        "pieces": [
            {"piece": piece, "kind": str(kinds[token_id])}
            for piece, token_id in zip(tokenizer.pieces(token_ids), token_ids, strict=True)
        ],
    }
