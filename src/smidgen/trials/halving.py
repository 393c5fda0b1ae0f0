"""Which trials may go on, and how far, where the worse variants stop early.

At each fraction of ``halving.at`` the variants that are still in wait for each other; then the mean over seeds of the
last held-out measurement before it decides, once for all, and is written down. What is stopped at one scale does not
begin at the next. The base never waits and never stops.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from smidgen.errors import BadInput
from smidgen.lab.ablation.budget import BASE
from smidgen.lab.ablation.halving import Halving
from smidgen.lab.ablation.trial import Trial
from smidgen.records import atomic, manifest, measurements
from smidgen.training.plan import TrainingPlan, plan_training
from smidgen.trials.folder import AblationFolder


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """What may be done now.

    ``open`` are trials with the tokens after which they pause, ``None`` for their end; ``stopped`` and ``pruned`` are
    those that have to be written down as halved and as pruned, with the reason.
    """

    open: tuple[tuple[Trial, int | None], ...]
    stopped: tuple[tuple[Trial, str], ...] = ()
    pruned: tuple[tuple[Trial, str], ...] = ()


def agenda(trials: Sequence[Trial], folder: AblationFolder, halving: Halving | None) -> Agenda:
    """The state of affairs in the folder, in the order of ``trials``; decisions that are due are made and written."""
    left = [trial for trial in trials if not folder.has_ended(trial.folder_name)]
    if halving is None:
        return Agenda(open=tuple((trial, None) for trial in left))
    goals: dict[str, int | None] = {trial.folder_name: None for trial in left if trial.variant == BASE}
    reasons: dict[str, str] = {}
    variants = list(dict.fromkeys(trial.variant for trial in trials if trial.variant != BASE))
    for scale in dict.fromkeys(trial.scale for trial in trials):
        here = [trial for trial in trials if trial.scale == scale and trial.variant != BASE]
        for at in halving.at:
            rivals = [trial for trial in here if trial.variant in variants]
            decision = _decision(rivals, variants, folder, halving, scale=scale, at=at)
            if decision is None:
                waited_for = [trial for trial in rivals if value_at(trial, folder, at) is None]
                goals |= {trial.folder_name: tokens_at(trial, at) for trial in waited_for}
                return _agenda(left, goals, reasons)
            stopped = {name: reason for name, reason in decision["stopped"].items() if name in variants}
            later = [trial for trial in trials if trial.scale >= scale and trial.variant in stopped]
            reasons |= {trial.folder_name: stopped[trial.variant] for trial in later}
            variants = [name for name in variants if name not in stopped]
        goals |= {trial.folder_name: None for trial in here if trial.variant in variants}
    return _agenda(left, goals, reasons)


def require_measurements(trials: Sequence[Trial], halving: Halving | None) -> None:
    """Raise ``BadInput`` for a fraction of ``halving`` that comes before the first held-out measurement."""
    if halving is None:
        return
    for trial in trials:
        plan = plan_training(trial.recipe, device_type="cpu")
        first, step = plan.held_out_steps, _step_at(plan, halving.at[0])
        if trial.variant != BASE and step < first:
            raise BadInput(
                f"halving at {halving.at[0]:g} comes at step {step} of {trial.variant}, before its first held-out "
                f"measurement at step {first}; {math.ceil(100 * first / plan.steps) / 100:g} or later works, or "
                f"training.held_out_steps of at most {step} under [set]"
            )


def _agenda(left: Sequence[Trial], goals: dict[str, int | None], reasons: dict[str, str]) -> Agenda:
    return Agenda(
        open=tuple((trial, goals[trial.folder_name]) for trial in left if trial.folder_name in goals),
        stopped=tuple((trial, reasons[trial.folder_name]) for trial in left if trial.folder_name in reasons),
    )


def _decision(
    rivals: Sequence[Trial],
    variants: Sequence[str],
    folder: AblationFolder,
    halving: Halving,
    *,
    scale: float,
    at: float,
) -> dict[str, Any] | None:
    """What was decided at a fraction of a scale, or is now; ``None`` while some have not come there."""
    path = folder.path / "halving" / f"x{scale:g}-at-{at:g}.json"
    decided = manifest.read_record(path)
    if decided:
        return decided
    values: dict[str, list[float]] = {name: [] for name in variants}
    for trial in rivals:
        value = value_at(trial, folder, at)
        if value is None:
            return None
        values[trial.variant].append(value)
    means = {name: fmean(values[name]) for name in variants}
    # Equal ones stay in the order of the definition, wherever this is computed.
    ranked = sorted(variants, key=lambda name: means[name])
    kept = ranked[: halving.survivors(len(ranked))]
    decision = {
        "scale": scale,
        "at": at,
        "bits_per_byte": {name: mean if math.isfinite(mean) else None for name, mean in means.items()},
        "kept": kept,
        "stopped": {
            name: f"stopped at {at:.0%} of the training{'' if scale == 1 else f' at scale {scale:g}'}: place "
            f"{place} of {len(ranked)} by held-out bits per byte, {len(kept)} went on"
            for place, name in enumerate(ranked, start=1)
            if name not in kept
        },
    }
    atomic.write_json(path, decision)
    return decision


def value_at(trial: Trial, folder: AblationFolder, at: float) -> float | None:
    """Bits per byte at the last measurement up to a fraction; infinite for a trial that ended before, ``None`` for
    one that has not come there yet."""
    step = _measured_step(plan_training(trial.recipe, device_type="cpu"), at)
    lines = measurements.read(folder.run_of(trial.folder_name).measurements, measurements.HELD_OUT)
    value = next((line["bits_per_byte"] for line in lines if line["step"] == step), None)
    return math.inf if value is None and folder.has_ended(trial.folder_name) else value


def tokens_at(trial: Trial, at: float) -> int:
    plan = plan_training(trial.recipe, device_type="cpu")
    return plan.tokens_before(_step_at(plan, at))


def is_measured(trial: Trial, at: float) -> bool:
    """Whether a fraction comes after the first held-out measurement."""
    return _measured_step(plan_training(trial.recipe, device_type="cpu"), at) > 0


def _step_at(plan: TrainingPlan, at: float) -> int:
    """The first step at which a fraction of the tokens has been seen."""
    return bisect.bisect_left(range(plan.steps + 1), at * plan.tokens, key=plan.tokens_before)


def _measured_step(plan: TrainingPlan, at: float) -> int:
    """The step of the last held-out measurement up to a fraction; 0 where there is none."""
    return _step_at(plan, at) // plan.held_out_steps * plan.held_out_steps
