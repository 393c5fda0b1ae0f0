"""A variant made as large as the base: one key of its design is changed until the parameters agree."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from smidgen.design.parameters import count_parameters
from smidgen.errors import BadInput
from smidgen.model.config import ModelConfig
from smidgen.recipes.recipe import Recipe

# The feed-forward layers first: their size can be chosen most finely and concerns nothing else.
ADJUSTABLE = ("design.intermediate_size", "design.hidden_size", "design.num_layers")
# More than this apart is not equal.
TOLERANCE = 0.01
# Matrix kernels work on tiles of 32 and 16; a multiple of 8 is what tensor cores still take without padding.
_MULTIPLES = (32, 16, 8)


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """A key with the value that the variant had, the one it got, and the parameters that came of it."""

    key: str
    before: int
    after: int
    parameters: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def with_parameters_of(base: Recipe, recipe: Recipe, key: str, *, variant: str) -> tuple[Recipe, Adjustment | None]:
    """The recipe with ``key`` changed so that its parameters are as near to the base's as whole steps allow.

    Steps are multiples of 32 (and of what the heads need), or of 16 or 8 (of a hidden size even 4) where these alone
    come within one per cent. No adjustment where the recipe as it stands is nearest. Raises ``BadInput`` where one
    per cent is out of reach, with what came nearest and a key that would work.
    """
    wanted = count_parameters(base.design).total
    name = key.removeprefix("design.")
    design = _nearest(recipe.design, name, wanted)
    total = count_parameters(design).total
    if not _is_near(total, wanted):
        raise BadInput(
            f"variant {variant} cannot have the {wanted:,} parameters of the base: nearest comes "
            f"{key}={getattr(design, name)} with {total:,} ({total / wanted - 1:+.1%}); "
            f"{_what_would_work(recipe.design, key, wanted)}"
        )
    if design == recipe.design:
        return recipe, None
    before, after = getattr(recipe.design, name), getattr(design, name)
    return replace(recipe, design=design), Adjustment(key=key, before=before, after=after, parameters=total)


def _nearest(design: ModelConfig, name: str, wanted: int) -> ModelConfig:
    """The design nearest in parameters: of the coarsest steps that come near enough, else of all."""
    best = design
    for step in _steps(design, name):
        best = min((best, *_around(design, name, step, wanted)), key=lambda one: _distance(one, wanted))
        if _is_near(count_parameters(best).total, wanted):
            break
    return best


def _steps(design: ModelConfig, name: str) -> Iterator[int]:
    if name == "num_layers":
        yield 1
    elif name == "intermediate_size":
        yield from _MULTIPLES
    else:
        # Rotary positions need an even head size where it follows the hidden size.
        whole = design.num_heads * (2 if _heads_follow(design) else 1)
        yield from (math.lcm(multiple, whole) for multiple in (*_MULTIPLES, 4))


def _around(design: ModelConfig, name: str, step: int, wanted: int) -> list[ModelConfig]:
    """The largest multiple of ``step`` that stays below the wanted parameters, and the next one."""
    low, high = 0, 1
    while count_parameters(_with(design, name, high * step)).total < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if count_parameters(_with(design, name, middle * step)).total < wanted:
            low = middle
        else:
            high = middle
    return [_with(design, name, count * step) for count in (low, high) if count]


def _with(design: ModelConfig, name: str, value: int) -> ModelConfig:
    changes: dict[str, Any] = {name: value}
    if name == "hidden_size" and _heads_follow(design):
        changes["head_dim"] = 0
    return replace(design, **changes)


def _heads_follow(design: ModelConfig) -> bool:
    """Whether the heads span the hidden size, so that they are to grow with it."""
    return design.num_heads * design.head_dim == design.hidden_size


def _distance(design: ModelConfig, wanted: int) -> int:
    return abs(count_parameters(design).total - wanted)


def _is_near(total: int, wanted: int) -> bool:
    return abs(total - wanted) <= TOLERANCE * wanted


def _what_would_work(design: ModelConfig, tried: str, wanted: int) -> str:
    for key in ADJUSTABLE:
        name = key.removeprefix("design.")
        other = _nearest(design, name, wanted)
        if key != tried and _is_near(count_parameters(other).total, wanted):
            return f'adjust = "{key}" would work ({key}={getattr(other, name)})'
    return "no key that can be adjusted comes within 1%; change the variant's shape, or hold tokens or flops equal"
