"""The variants and all their trials as rows of tables."""

import json
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from smidgen.reports import words
from smidgen.reports.ablation import quantity
from smidgen.reports.ablation.result import (
    BITS,
    DIVERGED,
    FAILED,
    FINISHED,
    HALVED,
    PENDING,
    Result,
    Trial,
    Variant,
)

# States that do not speak for themselves.
_STATES = {HALVED: "stopped by halving", PENDING: "not ended yet"}
NONE = "–"


@dataclass(frozen=True, kw_only=True)
class VariantRow:
    name: str
    settings: tuple[tuple[str, str], ...]
    parameters: str
    flops_per_token: str
    tokens: str
    seconds: str
    bits_per_byte: str
    interval: str
    seeds: str
    state: str


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    variant: str
    seed: int
    scale: str
    state: str
    is_bad: bool
    message: str
    tokens: str
    seconds: str
    bits_per_byte: str
    folder: str


def variant_rows(result: Result) -> list[VariantRow]:
    return [_variant_row(result, variant) for variant in result.everyone]


def trial_rows(result: Result) -> list[TrialRow]:
    has_scales = len(result.scales) > 1
    return [
        _trial_row(trial, quantity.multiple(trial.scale) if has_scales else "")
        for variant in result.everyone
        for trial in variant.trials
    ]


def planned_trials(result: Result) -> int:
    return len(result.everyone) * len(result.seeds) * len(result.scales)


def state_words(state: str) -> str:
    return _STATES.get(state, state)


def _variant_row(result: Result, variant: Variant) -> VariantRow:
    trials = [trial for trial in variant.trials if trial.scale == result.main_scale]
    finished = [trial for trial in trials if trial.state == FINISHED]
    tokens = [trial.tokens for trial in finished or trials if trial.tokens is not None]
    seconds = [trial.seconds for trial in finished or trials if trial.seconds is not None]
    score = variant.bits_per_byte
    return VariantRow(
        name=variant.name,
        settings=tuple((key, _setting(value)) for key, value in variant.settings.items()),
        parameters=words.count(variant.parameters) if variant.parameters is not None else NONE,
        flops_per_token=words.count(variant.flops_per_token) if variant.flops_per_token is not None else NONE,
        tokens=words.count(fmean(tokens)) if tokens else NONE,
        seconds=words.duration(fmean(seconds)) if seconds else NONE,
        bits_per_byte=quantity.value_words(BITS, score.mean) if score else NONE,
        interval=quantity.range_words(BITS, score.low, score.high) if score else "",
        seeds=f"{len(finished)} of {len(result.seeds)}",
        state="" if variant.state == FINISHED else state_words(variant.state),
    )


def _trial_row(trial: Trial, scale: str) -> TrialRow:
    return TrialRow(
        variant=trial.variant,
        seed=trial.seed,
        scale=scale,
        state=state_words(trial.state),
        is_bad=trial.state in (DIVERGED, FAILED),
        message=trial.message,
        tokens=words.count(trial.tokens) if trial.tokens is not None else NONE,
        seconds=words.duration(trial.seconds) if trial.seconds is not None else NONE,
        bits_per_byte=quantity.value_words(BITS, trial.bits_per_byte) if trial.bits_per_byte is not None else NONE,
        folder=trial.folder,
    )


def _setting(value: Any) -> str:
    """As it stands in the file."""
    return json.dumps(value, ensure_ascii=False)
