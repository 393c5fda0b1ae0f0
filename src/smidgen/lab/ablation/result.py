"""The whole result of an ablation, as ``ablation.json`` keeps it: read from the folders of its trials at any time."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from smidgen.design.flops import flops_per_token
from smidgen.design.parameters import count_parameters
from smidgen.lab.ablation.budget import BASE, Share, deviations
from smidgen.lab.ablation.definition import BITS_PER_BYTE, Ablation, Variant
from smidgen.lab.ablation.noise_floor import noise_floors
from smidgen.lab.ablation.outcome import DIVERGED, FAILED, FINISHED, HALVED, PENDING, Outcome, read_outcome
from smidgen.lab.ablation.power import power_estimates
from smidgen.lab.ablation.scaling import scalings
from smidgen.lab.ablation.table import Table, tables
from smidgen.lab.ablation.trial import plan_shares, unmeasured
from smidgen.lab.ablation.verdicts import verdicts
from smidgen.lab.difference import LEVEL

# Budgets that are shared out by a measured rate: what trials tell of them, in words, and how far off is told. Speed
# is measured on a few steps, the worth of text in tokens on samples.
_RATED = {"seconds": ("seconds", "trained {} s", 0.1), "bytes": ("text_bytes", "read {} bytes of text", 0.02)}
# The state of a variant is the first of these that one of its trials is in.
_STATES = (DIVERGED, HALVED, FAILED, PENDING, FINISHED)


def ablation_result(ablation: Ablation, folder: Path, rates: Mapping[str, float] | None = None) -> dict[str, Any]:
    """What the trials below ``folder`` say so far, as plain data; ``finished`` once all of them have ended.

    ``rates`` are the tokens for each second or byte that such a budget was planned with. Raises ``BadInput`` for
    scores that cannot be read and a budget that cannot be held equal.
    """
    outcomes = [
        read_outcome(folder / "trials", variant.name, seed, scale)
        for scale in ablation.budget.scales
        for seed in ablation.seeds
        for variant in ablation.everyone
    ]
    # Nothing is planned before all rates are measured that the budget needs.
    shares = () if unmeasured(ablation, rates or {}) else plan_shares(ablation, rates)
    found, warnings = tables(outcomes)
    judged = verdicts([variant.name for variant in ablation.variants], found, outcomes)
    tokens = {one.scale: one.record["tokens"] for one in outcomes if one.variant == BASE and one.tasks}
    floors = noise_floors(found, tokens)
    return {
        "name": ablation.name,
        "question": ablation.question,
        "base": ablation.base.recipe.name,
        "run": str(folder),
        "fingerprint": ablation.fingerprint,
        "finished": all(outcome.is_over for outcome in outcomes),
        "budget": {
            **ablation.budget.as_dict(),
            "sentence": ablation.budget.sentence,
            "realised": [share.as_dict() for share in shares],
        },
        "seeds": list(ablation.seeds),
        "tasks": [BITS_PER_BYTE, *ablation.tasks],
        "variants": [_variant(one, outcomes, found, shares) for one in ablation.everyone],
        "verdicts": [one.as_dict() for one in judged],
        "noise_floor": [floor.as_dict() for floor in floors],
        "power": [one.as_dict() for one in power_estimates(floors, len(ablation.seeds), verdicts=len(judged))],
        "scaling": [one.as_dict() for one in scalings(judged, found, tokens)],
        "warnings": [
            *deviations(ablation.budget, shares),
            *_ended_early(outcomes),
            *_off_budget(ablation, outcomes),
            *_skipped(outcomes),
            *warnings,
        ],
    }


def _variant(
    variant: Variant, outcomes: Sequence[Outcome], found: Sequence[Table], shares: Sequence[Share]
) -> dict[str, Any]:
    mine = [outcome for outcome in outcomes if outcome.variant == variant.name]
    at_first = [outcome for outcome in mine if outcome.scale == 1]
    design = next((share.recipe for share in shares if share.variant == variant.name), variant.recipe).design
    scores = {
        table.task: {"metric": table.metric.name, **summary(list(table.of(variant.name).values()))}
        for table in found
        if table.scale == 1
    }
    return {
        "name": variant.name,
        "settings": variant.settings,
        "parameters": count_parameters(design).total,
        "flops_per_token": flops_per_token(design)["training"],
        "state": next(state for state in _STATES if state in {outcome.state for outcome in at_first}),
        "seeds": sum(outcome.state == FINISHED for outcome in at_first),
        "bits_per_byte": {
            key: value for key, value in scores.get(BITS_PER_BYTE, summary([])).items() if key != "metric"
        },
        "scores": {task: score for task, score in scores.items() if task != BITS_PER_BYTE},
        "trials": [outcome.as_dict() for outcome in mine],
    }


def summary(values: Sequence[float]) -> dict[str, Any]:
    """The mean over seeds with its 95% interval (Student's t), which takes two of them."""
    count = len(values)
    mean = float(np.mean(values)) if values else None
    low = high = None
    if mean is not None and count > 1:
        half = float(stats.t.isf(LEVEL / 2, count - 1) * np.std(values, ddof=1)) / math.sqrt(count)
        low, high = mean - half, mean + half
    return {"mean": mean, "low": low, "high": high, "values": list(values)}


def _ended_early(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.state in (DIVERGED, FAILED):
            message = outcome.record.get("message")
            where = "" if outcome.scale == 1 else f", scale {outcome.scale:g}"
            reason = f" ({message})" if message else ""
            yield f"{outcome.variant}, seed {outcome.seed}{where}: {outcome.state}{reason}"


def _skipped(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [f"{task} is not scored: {reason}" for outcome in outcomes for task, reason in outcome.skipped.items()]
    return list(dict.fromkeys(lines))


def _off_budget(ablation: Ablation, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Variants that took noticeably more or less of what the budget gave them by rates that were measured before."""
    if not ablation.budget.needed_rate:
        return
    key, sentence, told = _RATED[ablation.budget.equal]
    for variant in ablation.everyone:
        for scale in ablation.budget.scales:
            wanted = (variant.name, scale, FINISHED)
            taken = [one.record.get(key) for one in outcomes if (one.variant, one.scale, one.state) == wanted]
            planned = (ablation.budget.amount or 0.0) * scale
            amounts = [amount for amount in taken if amount is not None]
            ratio = float(np.mean(amounts)) / planned if amounts else 1.0
            if abs(ratio - 1) > told:
                yield (
                    f"{variant.name} {sentence.format(f'{ratio * planned:,.0f}')} on average instead of "
                    f"{planned:,.0f} ({ratio - 1:+.0%}): its rate was another than when it was measured"
                )
