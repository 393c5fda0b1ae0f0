"""What is held equal between the base and its variants, and what of it each of them gets."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from smidgen.design.flops import flops_per_token
from smidgen.design.parameters import count_parameters
from smidgen.errors import BadInput
from smidgen.lab.ablation.equal_parameters import ADJUSTABLE, Adjustment, with_parameters_of
from smidgen.recipes.recipe import Recipe
from smidgen.training.plan import plan_training

# The name of what all variants are compared with.
BASE = "base"
# Beyond this a difference between budgets is told: what whole steps leave is mostly far below.
TOLD_DEVIATION = 0.005

Equal = Literal["tokens", "flops", "seconds", "bytes", "parameters"]
Adjust = Literal["design.intermediate_size", "design.hidden_size", "design.num_layers"]

_AMOUNT: dict[str, str] = {
    "tokens": "tokens",
    "flops": "flops",
    "seconds": "seconds",
    "bytes": "bytes",
    "parameters": "tokens",
}
_EXAMPLE = {
    "tokens": "tokens = 4_000_000",
    "flops": "flops = 1e14",
    "seconds": "seconds = 600",
    "bytes": "bytes = 16_000_000",
}
# Of these each variant gets as many tokens as was measured to be their worth; the nouns are for messages.
_RATED = {"seconds": "the tokens per second", "bytes": "the tokens per byte of text"}


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What every trial may spend: the amount of what ``equal`` names, times one of ``scales``.

    ``tokens`` may be ``None`` in a file, which stands for those of the base; ``flops`` are those of training;
    ``seconds`` those of training at the rate that was measured; ``bytes`` those of the text that is trained on, in
    UTF-8, for variants with tokenizers of their own. With "parameters" the tokens are equal, and the key ``adjust``
    of a variant is changed until it has as many parameters as the base; with "bytes" that may be asked for, too.
    """

    equal: Equal = "tokens"
    tokens: int | None = None
    flops: float | None = None
    seconds: float | None = None
    bytes: float | None = None
    adjust: Adjust | None = None
    scales: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scales", tuple(map(_whole, self.scales)))
        if self.equal == "parameters" and self.adjust is None:
            object.__setattr__(self, "adjust", ADJUSTABLE[0])
        allowed = {_AMOUNT[self.equal], *(["adjust"] if self.equal in ("parameters", "bytes") else [])}
        for name in ("tokens", "flops", "seconds", "bytes", "adjust"):
            value = getattr(self, name)
            if value is not None and name not in allowed:
                raise ValueError(
                    f'{name}={value} does not belong to equal="{self.equal}", which takes '
                    f"{' and '.join(sorted(allowed))}; leave it out, or choose another `equal`"
                )
            if isinstance(value, (int, float)) and not 0 < value < math.inf:
                raise ValueError(f"{name}={value} must be positive; {_EXAMPLE[name]} would work")
        if self.amount is None and _AMOUNT[self.equal] != "tokens":
            raise ValueError(f'equal="{self.equal}" needs an amount, such as {_EXAMPLE[self.equal]}')
        if self.scales[:1] != (1,) or any(not a < b < math.inf for a, b in itertools.pairwise(self.scales)):
            raise ValueError(
                f"scales={list(self.scales)} are multiples of the budget, which must begin with 1 and rise; "
                "[1, 2, 4] would work"
            )

    @property
    def amount(self) -> float | None:
        """What a trial at scale 1 may spend, in units of what is counted."""
        return getattr(self, _AMOUNT[self.equal])

    @property
    def needed_rate(self) -> str:
        """What has to be measured of each variant before anything can be planned, in words; mostly nothing."""
        return _RATED.get(self.equal, "")

    def as_dict(self) -> dict[str, Any]:
        content = {name: value for name, value in asdict(self).items() if value is not None}
        return {**content, "scales": list(self.scales)}

    @property
    def sentence(self) -> str:
        """What is held equal, in words."""
        match self.equal:
            case "tokens":
                return f"{self.tokens:,} tokens each"
            case "flops":
                return f"{self.flops:.3g} FLOPs of training each"
            case "seconds":
                return f"{self.seconds:g} s of training each, at the rate measured for each variant"
            case "bytes":
                return f"{self.bytes:,.0f} bytes of text each{self._and_parameters}"
            case "parameters":
                return f"{self.tokens:,} tokens each{self._and_parameters}"

    @property
    def _and_parameters(self) -> str:
        return f", and as many parameters as the base, by way of {self.adjust}" if self.adjust else ""


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one variant gets of the budget at one scale: its recipe, and what comes of it in whole steps.

    ``flops`` are those of the whole training, ``bytes`` those of its text where these are held equal. ``adjustment``
    is what was changed to make the parameters equal.
    """

    variant: str
    scale: float
    recipe: Recipe
    steps: int
    tokens: int
    parameters: int
    flops: float
    bytes: float | None = None
    adjustment: Adjustment | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "variant": self.variant,
            "scale": self.scale,
            "steps": self.steps,
            "tokens": self.tokens,
            "parameters": self.parameters,
            "flops": self.flops,
            "bytes": self.bytes,
            "adjusted": None if self.adjustment is None else self.adjustment.as_dict(),
        }


def share_of(
    budget: Budget, variant: str, recipe: Recipe, *, scale: float, base: Recipe, rates: Mapping[str, float]
) -> Share:
    """The variant's part; ``rates`` are tokens for each second or byte by the name of the variant, where these are
    what is held equal.

    Raises ``BadInput`` where the budget cannot be held equal, or is less than a step of this variant.
    """
    adjustment = None
    if budget.adjust is not None:
        recipe, adjustment = with_parameters_of(base, recipe, budget.adjust, variant=variant)
    tokens = _tokens(budget, variant, recipe, scale, rates)
    largest = max(recipe.training.batch_tokens, *(point.tokens for point in recipe.training.batch_schedule), 0)
    if tokens < largest:
        raise BadInput(
            f"the budget ({budget.sentence}, scale {scale:g}) is {tokens:,} tokens for {variant}, less than one step "
            f"of training.batch_tokens={largest}; a budget at least {largest / max(tokens, 1):.1f} times as large or "
            "smaller steps would work"
        )
    limited = replace(recipe, training=replace(recipe.training, tokens=tokens))
    plan = plan_training(limited, device_type="cpu")
    return Share(
        variant=variant,
        scale=scale,
        recipe=limited,
        steps=plan.steps,
        tokens=plan.tokens,
        parameters=count_parameters(limited.design).total,
        flops=float(plan.tokens * flops_per_token(limited.design)["training"]),
        bytes=plan.tokens / rates[variant] if budget.equal == "bytes" else None,
        adjustment=adjustment,
    )


def deviations(budget: Budget, shares: Sequence[Share]) -> list[str]:
    """A sentence for each variant that gets noticeably more or less than the base at the same scale.

    Of seconds nothing is known before they have passed.
    """
    if budget.equal == "seconds":
        return []
    base = {share.scale: share for share in shares if share.variant == BASE}
    return [
        f"{share.variant} gets {ratio - 1:+.1%} {noun} of the base's{_at(share.scale)} "
        f"({amount:,.0f} against {reference:,.0f}), which is as near as its whole steps come"
        for share in shares
        for noun in dict.fromkeys((budget.equal, _AMOUNT[budget.equal], *(["parameters"] if budget.adjust else [])))
        if abs((ratio := (amount := getattr(share, noun)) / (reference := getattr(base[share.scale], noun))) - 1)
        > TOLD_DEVIATION
    ]


def _tokens(budget: Budget, variant: str, recipe: Recipe, scale: float, rates: Mapping[str, float]) -> int:
    """What the budget comes to in tokens, before it is cut into steps."""
    amount = (budget.amount or 0.0) * scale
    if budget.equal == "flops":
        return int(amount / flops_per_token(recipe.design)["training"])
    if budget.needed_rate:
        return int(amount * rates[variant])
    return round(amount)


def _at(scale: float) -> str:
    return "" if scale == 1 else f" at scale {scale:g}"


def _whole(scale: float) -> float:
    """A whole number as such, so that JSON reads 2 and not 2.0."""
    return int(scale) if scale == int(scale) else scale
