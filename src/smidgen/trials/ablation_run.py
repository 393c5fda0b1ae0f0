"""``smidgen ablate``: everything that an ablation needs, in order, resumable at any point."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from smidgen.errors import BadInput
from smidgen.lab.ablation.budget import BASE
from smidgen.lab.ablation.definition import Ablation
from smidgen.lab.ablation.noise_record import known_noise
from smidgen.lab.ablation.power import power_estimates
from smidgen.lab.ablation.trial import Trial, unmeasured
from smidgen.records import atomic, manifest
from smidgen.stopping import StopRequest
from smidgen.trials.crew import Crew
from smidgen.trials.folder import AblationFolder
from smidgen.trials.forecast import forecast
from smidgen.trials.job import Job, Kind, Work
from smidgen.trials.places import Place, find_places
from smidgen.trials.programme import Programme
from smidgen.trials.sitting import Sitting
from smidgen.trials.store import Store, assign_stores, key_of, recipe_of
from smidgen.trials.turn import lock_in_turn
from smidgen.trials.watcher import AblationWatcher

# What is measured of each variant for a budget, in words, and the kind of job that does it.
_MEASURED: dict[str, tuple[str, Kind]] = {"seconds": ("speed", "rate"), "bytes": ("tokens for its text", "density")}


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How an ablation is carried out, which does not decide what comes of it.

    ``workers`` is the number of processes, by default what suits the machine. ``eval_data`` is the folder of
    benchmark files; without one they come from the Hugging Face hub. ``noise`` is the file of the base's noise, from
    which the power is told beforehand.
    """

    workers: int | None = None
    device: str | None = None
    cache: Path | None = None
    eval_data: Path | None = None
    noise: Path | None = None
    stop_requested: StopRequest = field(default_factory=StopRequest)
    watcher: AblationWatcher = field(default_factory=AblationWatcher)


def run_ablation(ablation: Ablation, path: Path, source: Path, conditions: Conditions) -> None:
    """Carry out what is left of an ablation in its folder, until all trials have ended or a stop is requested.

    ``source`` is the file that defines it, of which a copy is kept.
    Raises ``BadInput`` for what cannot be trained, ``OutOfResources`` when disk or memory is full and ``Interrupted``
    when stopped before the trials; all workers have saved then, and the same call goes on.
    """
    folder = AblationFolder(path)
    programme = _programme(ablation, folder)
    claim_folder(folder, ablation, source)
    if programme is not None and programme.has_ended:
        return
    common = Job(
        kind="machine",
        folder=str(path),
        device=conditions.device,
        cache=None if conditions.cache is None else str(conditions.cache),
        eval_data=None if conditions.eval_data is None else str(conditions.eval_data),
    )
    with Crew(folder.log_of("workers")) as crew:
        sitting = Sitting(crew, folder, common, conditions.watcher, conditions.stop_requested)
        _carry_out(ablation, folder, sitting, conditions)


def claim_folder(folder: AblationFolder, ablation: Ablation, source: Path) -> None:
    """Make the folder this ablation's, or check that it already is one that can be gone on with.

    As long as no trial has begun (the text was too short, say) another definition may take its place.
    Raises ``BadInput`` when it holds another ablation or something else; nothing is changed then.
    """
    # Looked at before the definition is read: another process of the same ablation, begun at the same moment, writes
    # its definition before all else.
    is_occupied = folder.is_occupied
    stored = manifest.read_record(folder.definition)
    definition = json.loads(json.dumps(ablation.as_dict()))
    if stored == definition:
        return
    if stored and not folder.has_begun:
        folder.rates.unlink(missing_ok=True)
    elif stored:
        reason = ablation.why_not_continuing(stored)
        if reason:
            raise BadInput(
                f"{folder.path} holds another ablation: {reason}; give another --out, or the definition it had "
                "(seeds, variants and scales may be added)"
            )
    elif is_occupied:
        raise BadInput(f"{folder.path} exists and is no ablation's folder; give a new or empty folder as --out")
    atomic.write_json(folder.definition, definition)
    atomic.write_bytes(folder.source, source.read_bytes())


def stored_rates(folder: AblationFolder) -> dict[str, float]:
    """Tokens for each unit of the budget by variant, as far as the budget needs them and they were measured."""
    return manifest.read_record(folder.rates)


def _programme(ablation: Ablation, folder: AblationFolder) -> Programme | None:
    """All trials; ``None`` while the rates are not measured that their length depends on."""
    rates = stored_rates(folder)
    return None if unmeasured(ablation, rates) else Programme(ablation, folder, rates)


def _carry_out(ablation: Ablation, folder: AblationFolder, sitting: Sitting, conditions: Conditions) -> None:
    [machine] = sitting.do([sitting.common], [Place(threads=0)])
    programme = _programme(ablation, folder)
    if programme is None:
        # Speed is that of all places at once, as the trials will run; what text comes to is the same everywhere.
        by_speed = ablation.budget.equal == "seconds"
        places = _places(machine, conditions, most=_count(ablation)) if by_speed else _all_cores(machine)
        _measure_rates(ablation, folder, sitting, places)
        programme = Programme(ablation, folder, stored_rates(folder))
    expected = programme.expected
    left = [trial for trial in expected if not folder.has_ended(trial.folder_name)]
    places = _places(machine, conditions, most=len(left))
    needing = [*expected, *programme.samples]
    stores = assign_stores(needing, folder.shared)
    conditions.watcher.planned(
        forecast(
            expected,
            stores,
            folder,
            workers=[str(place) for place in places],
            rates=stored_rates(folder) if ablation.budget.equal == "seconds" else {},
            sentences=_power(ablation, expected, conditions.noise),
        )
    )
    _prepare(ablation, needing, stores, sitting, machine)
    by_need = {(key_of(trial.recipe), trial.scale): stores[trial.folder_name] for trial in needing}
    sitting.carry_out(programme, lambda trial: by_need[key_of(trial.recipe), trial.scale], places)


def _all_cores(machine: Mapping[str, Any]) -> tuple[Place, ...]:
    return (Place(threads=machine["cores"]),)


def _places(machine: Mapping[str, Any], conditions: Conditions, *, most: int) -> tuple[Place, ...]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return find_places(machine, workers=conditions.workers, device=conditions.device, most=most, visible=visible)


def _count(ablation: Ablation) -> int:
    return len(ablation.everyone) * len(ablation.seeds) * len(ablation.budget.scales)


def _power(ablation: Ablation, trials: Sequence[Trial], noise: Path | None) -> list[str]:
    """What differences these seeds are likely to show, as far as the noise of the base is known."""
    if noise is None:
        return []
    tokens = next(trial.recipe.training.tokens for trial in trials if trial.variant == BASE)
    floors = known_noise(noise, ablation.base.recipe, tokens)
    verdicts = len(ablation.variants) * len(ablation.budget.scales) * len(floors)
    estimates = power_estimates(floors, len(ablation.seeds), verdicts=verdicts)
    return [estimate.sentence for estimate in estimates if estimate.seeds == len(ablation.seeds)]


def _measure_rates(ablation: Ablation, folder: AblationFolder, sitting: Sitting, places: Sequence[Place]) -> None:
    """One variant after the other, at all of the places at once."""
    what, kind = _MEASURED[ablation.budget.equal]
    claim = folder.claim_of("rates")
    with lock_in_turn(claim, f"measures {what}", sitting.stop_requested, sitting.watcher.noticed):
        rates = stored_rates(folder)
        for variant in ablation.everyone:
            if variant.name in rates:
                continue
            sitting.watcher.preparing(f"{what} of {variant.name}")
            work = Work(name=variant.name, recipe=variant.recipe.as_dict())
            job = replace(sitting.common, kind=kind, works=(work,), log=str(folder.log_of("rates")))
            found = sitting.do([job] * len(places), places)
            rates[variant.name] = fmean(result["rates"][variant.name] for result in found)
            atomic.write_json(folder.rates, rates)


def _prepare(
    ablation: Ablation,
    trials: Sequence[Trial],
    stores: Mapping[str, Store],
    sitting: Sitting,
    machine: Mapping[str, Any],
) -> None:
    """Build the stores that are missing, in one process with all cores."""
    seed = ablation.base.recipe.training.seed
    missing = {store.path: store for store in stores.values() if not store.is_ready}
    works = tuple(
        Work(
            name=path.name,
            recipe=recipe_of(store, trials, seed=seed).as_dict(),
            store=str(path),
            scales=store.scales,
        )
        for path, store in missing.items()
    )
    if works:
        log = str(sitting.folder.log_of("shared"))
        sitting.do([replace(sitting.common, kind="store", works=works, log=log)], _all_cores(machine))
