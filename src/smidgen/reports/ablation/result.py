"""The outcome of an ablation, as ``smidgen ablate`` writes it into ``ablation.json``."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from smidgen.reports.ablation.sweep import Sweep, read_sweep
from smidgen.reports.stored.json_file import damage_named
from smidgen.reports.stored.values import mapping, number, numbers, optional, sequence, text, whole

BASE = "base"
BITS = "bits_per_byte"
BITS_TASK = "bits-per-byte"
# States of trials. One that is pending has not ended, whether it has begun or not.
FINISHED, HALVED, DIVERGED, FAILED, PENDING = "finished", "halved", "diverged", "failed", "pending"
# What a verdict begins with, and what kind it is; any other is none yet.
_KINDS = {
    "better": "better",
    "worse": "worse",
    "not distinguishable": "unsure",
    "diverged": "diverged",
    "stopped by halving": "halved",
}
OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over seeds with its 95% interval, where there are seeds enough for one."""

    mean: float
    low: float | None = None
    high: float | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trial:
    variant: str
    seed: int
    scale: float
    state: str
    message: str
    folder: str
    tokens: int | None
    text_bytes: int | None
    seconds: float | None
    bits_per_byte: float | None

    @property
    def has_ended(self) -> bool:
        return self.state != PENDING


@dataclass(frozen=True, kw_only=True)
class Variant:
    """``scores`` hold the metric and its estimate by task; ``settings`` what differs from the base, by dotted key."""

    name: str
    settings: dict[str, Any]
    parameters: int | None
    flops_per_token: float | None
    state: str
    seeds: int
    bits_per_byte: Estimate | None
    scores: dict[str, tuple[str, Estimate]]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The variant less the base in one metric, at one multiple of the budget."""

    variant: str
    task: str
    metric: str
    scale: float
    verdict: str
    base_value: float | None
    value: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    seeds: int
    more_seeds: int | None
    expected_gain: float | None
    test: str

    @property
    def kind(self) -> str:
        """ "better", "worse", "unsure", "diverged", "halved", or "open" for a verdict still to come."""
        return next((kind for start, kind in _KINDS.items() if self.verdict.startswith(start)), OPEN)


@dataclass(frozen=True, kw_only=True)
class NoiseFloor:
    task: str
    metric: str
    standard_deviation: float
    low: float | None
    high: float | None
    seeds: int
    tokens: int | None


@dataclass(frozen=True, kw_only=True)
class Power:
    """The difference that so many seeds find in four of five tries."""

    task: str
    metric: str
    seeds: int
    detectable: float


@dataclass(frozen=True, kw_only=True)
class ScalePoint:
    scale: float
    tokens: int | None
    difference: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """A difference at several multiples of the budget; it "holds", "grows", "shrinks", or that "cannot be told"."""

    variant: str
    task: str
    metric: str
    points: tuple[ScalePoint, ...]
    holds: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """``everyone`` begins with the base."""

    name: str
    question: str
    base: str
    fingerprint: str
    is_finished: bool
    budget: dict[str, Any]
    seeds: tuple[int, ...]
    tasks: tuple[str, ...]
    everyone: tuple[Variant, ...]
    verdicts: tuple[Verdict, ...]
    noise_floor: tuple[NoiseFloor, ...]
    power: tuple[Power, ...]
    scaling: tuple[Scaling, ...]
    warnings: tuple[str, ...]
    sweep: Sweep | None

    @property
    def scales(self) -> list[float]:
        return [number(scale) for scale in self.budget.get("scales") or [1]]

    @property
    def main_scale(self) -> float:
        """The first: what is told of a variant is told of this multiple of the budget."""
        return self.scales[0]

    @property
    def held_tokens(self) -> float | None:
        """How many tokens each trial at the main scale was to have, where these are held equal."""
        tokens = self.budget.get("tokens") if self.budget["equal"] in ("tokens", "parameters") else None
        return tokens * self.main_scale if tokens else None

    @property
    def variants(self) -> tuple[Variant, ...]:
        return tuple(variant for variant in self.everyone if variant.name != BASE)

    @cached_property
    def main_verdicts(self) -> dict[str, Verdict]:
        """On bits per byte at the main scale, by variant."""
        return {one.variant: one for one in self.verdicts_on(BITS_TASK)}

    def verdicts_on(self, task: str) -> list[Verdict]:
        return [one for one in self.verdicts if one.task == task and one.scale == self.main_scale]

    def kind(self, variant: str) -> str:
        verdict = self.main_verdicts.get(variant)
        return verdict.kind if verdict else OPEN

    def detectable(self, task: str) -> float | None:
        """The smallest difference that the seeds of this ablation find in four of five tries."""
        found = (one.detectable for one in self.power if one.task == task and one.seeds == len(self.seeds))
        return next(found, None)


def read_result(stored: dict[str, Any], path: Path) -> Result:
    """Raises ``BadInput``, which names ``path``, for what cannot be understood."""
    with damage_named(path):
        return Result(
            name=text(stored["name"]),
            question=optional(text, stored.get("question"), ""),
            base=text(stored["base"]),
            fingerprint=optional(text, stored.get("fingerprint"), ""),
            is_finished=bool(stored["finished"]),
            budget=mapping(stored["budget"]),
            seeds=tuple(whole(seed) for seed in sequence(stored["seeds"])),
            tasks=tuple(text(task) for task in stored.get("tasks") or ()),
            everyone=tuple(_variant(one) for one in sequence(stored["variants"])),
            verdicts=tuple(_verdict(one) for one in sequence(stored["verdicts"])),
            noise_floor=tuple(_noise_floor(one) for one in _at_least_tokens(stored.get("noise_floor") or [])),
            power=tuple(_power(one) for one in _at_least_tokens(stored.get("power") or [])),
            scaling=tuple(_scaling(one) for one in stored.get("scaling") or ()),
            warnings=tuple(text(one) for one in stored.get("warnings") or ()),
            sweep=optional(read_sweep, stored.get("sweep")),
        )


def _variant(stored: dict[str, Any]) -> Variant:
    name = text(stored["name"])
    scores = {task: mapping(score) for task, score in mapping(stored.get("scores") or {}).items()}
    return Variant(
        name=name,
        settings=mapping(stored.get("settings") or {}),
        parameters=optional(whole, stored.get("parameters")),
        flops_per_token=optional(number, stored.get("flops_per_token")),
        state=optional(text, stored.get("state"), ""),
        seeds=optional(whole, stored.get("seeds"), 0),
        bits_per_byte=_estimate(stored.get("bits_per_byte")),
        scores={
            task: (text(score["metric"]), found) for task, score in scores.items() if (found := _estimate(score))
        },
        trials=tuple(_trial(name, one) for one in stored.get("trials") or ()),
    )


def _estimate(stored: dict[str, Any] | None) -> Estimate | None:
    if stored is None or stored.get("mean") is None:
        return None
    values = tuple(number(value) for value in stored.get("values") or () if value is not None)
    return Estimate(mean=number(stored["mean"]), values=values, **_interval(stored))


def _interval(stored: dict[str, Any]) -> dict[str, float | None]:
    return {side: optional(number, stored.get(side)) for side in ("low", "high")}


def _trial(variant: str, stored: dict[str, Any]) -> Trial:
    return Trial(
        variant=variant,
        seed=whole(stored["seed"]),
        scale=optional(number, stored.get("scale"), 1),
        state=text(stored["state"]),
        message=optional(text, stored.get("message"), ""),
        folder=optional(text, stored.get("folder"), ""),
        tokens=optional(whole, stored.get("tokens")),
        text_bytes=optional(whole, stored.get("text_bytes")),
        seconds=optional(number, stored.get("seconds")),
        bits_per_byte=optional(number, stored.get("bits_per_byte")),
    )


def _verdict(stored: dict[str, Any]) -> Verdict:
    measured = ("base_value", "value", "difference", "low", "high", "p", "p_adjusted")
    gain = numbers(stored.get("expected_gain") or {})
    return Verdict(
        variant=text(stored["variant"]),
        task=text(stored["task"]),
        metric=text(stored["metric"]),
        scale=optional(number, stored.get("scale"), 1),
        verdict=text(stored["verdict"]),
        seeds=optional(whole, stored.get("seeds"), 0),
        more_seeds=optional(whole, stored.get("more_seeds")),
        expected_gain=gain.get("value"),
        test=optional(text, stored.get("test"), ""),
        **{key: optional(number, stored.get(key)) for key in measured},
    )


def _at_least_tokens(stored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the main scale, which has the fewest tokens: other scales have a noise of their own."""
    least = min((one["tokens"] for one in stored if one.get("tokens") is not None), default=None)
    return [one for one in stored if one.get("tokens") == least]


def _noise_floor(stored: dict[str, Any]) -> NoiseFloor:
    return NoiseFloor(
        task=text(stored["task"]),
        metric=text(stored["metric"]),
        standard_deviation=number(stored["standard_deviation"]),
        seeds=whole(stored["seeds"]),
        tokens=optional(whole, stored.get("tokens")),
        **_interval(stored),
    )


def _power(stored: dict[str, Any]) -> Power:
    return Power(
        task=text(stored["task"]),
        metric=text(stored["metric"]),
        seeds=whole(stored["seeds"]),
        detectable=number(stored["detectable"]),
    )


def _scaling(stored: dict[str, Any]) -> Scaling:
    return Scaling(
        variant=text(stored["variant"]),
        task=text(stored["task"]),
        metric=text(stored["metric"]),
        points=tuple(
            ScalePoint(
                scale=number(point["scale"]),
                tokens=optional(whole, point.get("tokens")),
                difference=number(point["difference"]),
                **_interval(point),
            )
            for point in sequence(stored["points"])
            if point.get("difference") is not None
        ),
        holds=optional(text, stored.get("holds"), ""),
    )
