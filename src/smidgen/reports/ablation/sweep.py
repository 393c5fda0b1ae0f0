"""A sweep, as ``ablation.json`` holds it, and what came of it in words."""

import json
from dataclasses import dataclass
from typing import Any

from smidgen.reports import words
from smidgen.reports.stored.values import mapping, number, numbers, optional, plain, sequence, text, whole

FINISHED, PENDING = "finished", "pending"


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A key with its range or its values; ``share`` is what it explains of the order of the trials, where known."""

    key: str
    low: float | None
    high: float | None
    is_log: bool
    values: tuple[Any, ...]
    share: float | None


@dataclass(frozen=True, kw_only=True)
class SweepTrial:
    """``stopped_at`` is the fraction of the training at which it was pruned."""

    number: int
    settings: dict[str, Any]
    state: str
    message: str
    bits_per_byte: float | None
    seconds: float | None
    stopped_at: float | None
    folder: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a setting should be elsewhere, as others found; no value where only the direction is known."""

    where: str
    key: str
    value: float | None
    rule: str
    source: str

    @property
    def value_words(self) -> str:
        return "" if self.value is None else f"{self.value:.3g}"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """``confirmed`` are the names of variants by the number of the trial that they come from."""

    axes: tuple[Axis, ...]
    sampler: str
    pruner: str
    seed: int
    planned: int
    is_finished: bool
    trials: tuple[SweepTrial, ...]
    best: int | None
    confirmed: dict[int, str]
    boundary: tuple[str, ...]
    rules: tuple[Rule, ...]

    @property
    def ended(self) -> int:
        return sum(trial.state != PENDING for trial in self.trials)

    @property
    def best_trial(self) -> SweepTrial | None:
        return next((trial for trial in self.trials if trial.number == self.best), None)


def read_sweep(stored: dict[str, Any]) -> Sweep:
    """Raises what the readers of values raise."""
    shares = numbers(stored.get("importance") or {})
    best = stored.get("best")
    return Sweep(
        axes=tuple(_axis(one, shares) for one in sequence(stored["axes"])),
        sampler=text(stored["sampler"]),
        pruner=text(stored["pruner"]),
        seed=whole(stored["seed"]),
        planned=whole(stored["planned"]),
        is_finished=bool(stored["finished"]),
        trials=tuple(_trial(one) for one in sequence(stored["trials"])),
        best=None if best is None else whole(best["number"]),
        confirmed={whole(one["number"]): text(one["variant"]) for one in sequence(stored["confirmed"])},
        boundary=tuple(text(one["message"]) for one in stored.get("boundary") or ()),
        rules=tuple(_rule(one) for one in stored.get("transfer") or ()),
    )


def summary(sweep: Sweep) -> str:
    """What was tried and what was best, in a sentence or two."""
    tried = (
        f"{words.plural(sweep.ended, 'setting')} of {sweep.planned} tried under seed {sweep.seed} ({sweep.sampler})"
    )
    states = [
        f"{count} {state}"
        for state in ("pruned", "diverged", "failed")
        if (count := sum(trial.state == state for trial in sweep.trials))
    ]
    told = f"{tried}{', ' if states else ''}{words.listing(states)}."
    best = sweep.best_trial
    if best is None or best.bits_per_byte is None:
        return f"{told} None has finished."
    found = f"{best.bits_per_byte:.4f} bits per byte with {settings_words(best)}"
    return f"{told} The best, trial {best.number}, has {found}."


def settings_words(trial: SweepTrial) -> str:
    return words.listing([f"{key} = {value_words(value)}" for key, value in trial.settings.items()])


def value_words(value: Any) -> str:
    """As it stands in the file."""
    return json.dumps(value, ensure_ascii=False)


def shares_words(sweep: Sweep) -> str:
    """ "training.peak_learning_rate 72%, training.warmup_steps 28%", empty where nothing is known."""
    known = sorted((axis for axis in sweep.axes if axis.share is not None), key=lambda axis: -(axis.share or 0.0))
    return ", ".join(f"{axis.key} {words.percent(axis.share or 0.0, 0)}" for axis in known)


def _axis(stored: dict[str, Any], shares: dict[str, float]) -> Axis:
    key = text(stored["key"])
    return Axis(
        key=key,
        low=optional(number, stored.get("low")),
        high=optional(number, stored.get("high")),
        is_log=bool(stored.get("log")),
        values=tuple(plain(value) for value in stored.get("values") or ()),
        share=shares.get(key),
    )


def _trial(stored: dict[str, Any]) -> SweepTrial:
    stopped = [one["at"] for one in stored.get("judged") or () if not one["goes_on"]]
    return SweepTrial(
        number=whole(stored["number"]),
        settings=mapping(plain(stored["settings"])),
        state=text(stored["state"]),
        message=optional(text, stored.get("message"), ""),
        bits_per_byte=optional(number, stored.get("bits_per_byte")),
        seconds=optional(number, stored.get("seconds")),
        stopped_at=number(stopped[0]) if stopped else None,
        folder=optional(text, stored.get("folder"), ""),
    )


def _rule(stored: dict[str, Any]) -> Rule:
    return Rule(
        where=text(stored["where"]),
        key=text(stored["key"]),
        value=optional(number, stored.get("value")),
        rule=text(stored["rule"]),
        source=text(stored["source"]),
    )
