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
from smidgen.lab.ablation.trial import plan_shares
from smidgen.lab.ablation.verdicts import verdicts
from smidgen.lab.difference import LEVEL

# A budget of seconds is told where the trainings took noticeably more or less: the rate is measured on a few steps.
TOLD_SECONDS = 0.1
# The state of a variant is the first of these that one of its trials is in.
_STATES = (DIVERGED, HALVED, FAILED, PENDING, FINISHED)


def ablation_result(ablation: Ablation, folder: Path, rates: Mapping[str, float] | None = None) -> dict[str, Any]:
    """What the trials below ``folder`` say so far, as plain data; ``finished`` once all of them have ended.

    ``rates`` are the tokens per second that a budget of seconds was planned with. Raises ``BadInput`` for scores that
    cannot be read and a budget that cannot be held equal.
    """
    outcomes = [
        read_outcome(folder / "trials", variant.name, seed, scale)
        for scale in ablation.budget.scales
        for seed in ablation.seeds
        for variant in ablation.everyone
    ]
    # Of seconds nothing is planned before all rates are measured.
    is_planned = ablation.budget.equal != "seconds" or {one.name for one in ablation.everyone} <= (rates or {}).keys()
    shares = plan_shares(ablation, rates) if is_planned else ()
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
            *_seconds(ablation, outcomes),
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


def _seconds(ablation: Ablation, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Variants whose trainings took noticeably more or less than a budget of seconds gave them."""
    if ablation.budget.equal != "seconds":
        return
    for variant in ablation.everyone:
        for scale in ablation.budget.scales:
            wanted = (variant.name, scale, FINISHED)
            seconds = [one.record["seconds"] for one in outcomes if (one.variant, one.scale, one.state) == wanted]
            planned = (ablation.budget.seconds or 0.0) * scale
            ratio = float(np.mean(seconds)) / planned if seconds else 1.0
            if abs(ratio - 1) > TOLD_SECONDS:
                yield (
                    f"{variant.name} trained {ratio * planned:,.0f} s on average instead of {planned:,.0f} s "
                    f"({ratio - 1:+.0%}): its rate was another than when it was measured"
                )
