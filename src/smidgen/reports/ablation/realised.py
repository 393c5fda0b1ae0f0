"""What was to be held equal between the variants, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smidgen.reports import words
from smidgen.reports.ablation.result import BASE, FINISHED, Result, Trial, Variant

_NAMES = {
    "tokens": "tokens",
    "bytes": "bytes of text",
    "flops": "training FLOPs",
    "seconds": "time of training",
    "parameters": "parameters",
}


@dataclass(frozen=True, kw_only=True)
class Realised:
    """One quantity over all trials that finished: the base's first, the lowest and the highest."""

    key: str
    name: str
    base: str
    low: str
    high: str
    spread: float
    is_held: bool


def realised(result: Result) -> list[Realised]:
    """What trials at the main scale took, as far as they tell."""
    held = {result.budget["equal"], *(["parameters"] if result.budget.get("adjust") else [])}
    if result.budget["equal"] == "parameters":
        held.add("tokens")
    quantities: tuple[tuple[str, Callable[[Variant, Trial], float | None], Callable[[Any], str]], ...] = (
        ("tokens", lambda _, trial: trial.tokens, words.exact),
        ("bytes", lambda _, trial: trial.text_bytes, words.exact),
        ("flops", _flops, words.count),
        ("seconds", lambda _, trial: trial.seconds, words.duration),
        ("parameters", lambda variant, _: variant.parameters, words.exact),
    )
    rows = [_row(result, key, take, say, is_held=key in held) for key, take, say in quantities]
    return [row for row in rows if row]


def _row(
    result: Result,
    key: str,
    take: Callable[[Variant, Trial], float | None],
    say: Callable[[Any], str],
    *,
    is_held: bool,
) -> Realised | None:
    found = [
        (variant.name, amount)
        for variant in result.everyone
        for trial in variant.trials
        if trial.state == FINISHED and trial.scale == result.main_scale
        if (amount := take(variant, trial)) is not None
    ]
    if not found:
        return None
    amounts = [amount for _, amount in found]
    base = [amount for name, amount in found if name == BASE]
    low, high = min(amounts), max(amounts)
    return Realised(
        key=key,
        name=_NAMES[key].capitalize().replace("flops", "FLOPs"),
        base=say(base[0]) if base else "–",
        low=say(low),
        high=say(high),
        spread=(high - low) / high if high else 0.0,
        is_held=is_held,
    )


def _flops(variant: Variant, trial: Trial) -> float | None:
    if variant.flops_per_token is None or trial.tokens is None:
        return None
    return variant.flops_per_token * trial.tokens
