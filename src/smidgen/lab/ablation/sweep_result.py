"""A sweep as ``ablation.json`` keeps it: all trials, the best, what mattered, where the ranges were too narrow."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from smidgen.lab.ablation.definition import Ablation
from smidgen.lab.ablation.outcome import DIVERGED, FAILED
from smidgen.lab.ablation.sweep import Sweep
from smidgen.lab.ablation.sweep_importance import importance
from smidgen.lab.ablation.sweep_outcome import SweepTrial, is_over, ranked, read_confirmed, read_sweep_trials
from smidgen.lab.ablation.transfer import elsewhere
from smidgen.lab.ablation.trial import sweep_trial

_ENDS = {"low": "lower", "high": "upper"}


def sweep_result(ablation: Ablation, folder: Path) -> dict[str, Any] | None:
    """What the sweep's trials below ``folder`` say so far, as plain data; ``None`` for an ablation without one."""
    sweep = ablation.sweep
    if sweep is None:
        return None
    trials = read_sweep_trials(folder, sweep)
    best = next(iter(ranked(trials)), None)
    confirmed = read_confirmed(folder)
    return {
        **sweep.as_dict(),
        "planned": sweep.planned,
        "finished": is_over(sweep, trials) and confirmed is not None,
        "trials": [trial.as_dict() for trial in trials],
        "best": best and {key: best.as_dict()[key] for key in ("number", "settings", "bits_per_byte")},
        "confirmed": [{key: one[key] for key in ("variant", "number")} for one in confirmed or []],
        "importance": importance(sweep, trials),
        "boundary": list(_boundary(sweep, best)) if best else [],
        "transfer": _transfer(ablation, best) if best else [],
        "warnings": list(_warnings(sweep, trials, confirmed)),
    }


def _boundary(sweep: Sweep, best: SweepTrial) -> Iterator[dict[str, Any]]:
    for axis in sweep.axes:
        value = best.settings[axis.key]
        end = axis.edge(value)
        if end is not None:
            message = f"{axis.key}: the best, {value:g}, lies at the {_ENDS[end]} end of what was tried; widen it"
            yield {"axis": axis.key, "value": value, "end": end, "message": message}


def _transfer(ablation: Ablation, best: SweepTrial) -> list[dict[str, Any]]:
    trial = sweep_trial(ablation, ablation.variant(best.name, best.settings), seed=best.seed)
    return elsewhere(best.settings, trial.recipe)


def _warnings(sweep: Sweep, trials: Sequence[SweepTrial], confirmed: list[dict[str, Any]] | None) -> Iterator[str]:
    for trial in trials:
        if trial.state in (DIVERGED, FAILED):
            yield f"{trial.name}: {trial.state} ({trial.message})"
    if sweep.planned < sweep.trials:
        yield f"the sweep has {sweep.planned} settings, so that no more than these of {sweep.trials} trials are made"
    if confirmed is None:
        return
    if not ranked(trials):
        yield "no trial of the sweep finished, so that there is nothing to confirm"
    elif len(confirmed) < min(sweep.confirm, len(trials)):
        others = "the others did not finish, or train the same model as the base, a variant or each other"
        yield f"{len(confirmed)} of the sweep's {sweep.confirm} best settings are confirmed: {others}"
