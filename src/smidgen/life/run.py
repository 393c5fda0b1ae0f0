"""The main job: every stage in order, timed, recorded, and resumable at any point."""

import time
from typing import Any

import torch

from smidgen.errors import Interrupted
from smidgen.life.stages import STAGES, Life, train_stage
from smidgen.recipes.ownership import claim
from smidgen.records import atomic, manifest
from smidgen.records.environment import hardware, peak_memory_bytes, reset_peak_memory, versions
from smidgen.records.run_lock import LOCK_NAME, only_process
from smidgen.training.plan import plan_training


def run_life(life: Life, *, command: str = "", until: str = "report") -> dict[str, Any]:
    """Take a recipe through its life up to a stage; return each stage's result by name, and ``stages`` with costs.

    A training that is stopped early ends the life there; its result says so. Repeating the call continues. Raises
    ``BadInput`` when the folder holds something else or another process is in it, ``Interrupted`` when stopped in
    another stage. Of several ranks the others only help to train, and return the result of that.
    """
    # Refuses more ranks than a step has work for before the hours that text may take.
    plan_training(life.recipe, device_type="cpu", ranks=life.ranks.count)
    if not life.ranks.is_first:
        return {"train": train_stage(life), "run": str(life.run.path)}
    claim(life.run, life.recipe)
    with only_process(life.run.path):
        return _go_through_stages(life, command, until)


def _go_through_stages(life: Life, command: str, until: str) -> dict[str, Any]:
    results: dict[str, Any] = {}
    costs = _earlier_costs(life)
    for name, stage in STAGES.items():
        life.watcher.stage_started(name)
        # The report tells the costs of the stages before it.
        _write_manifest(life, command, costs)
        reset_peak_memory()
        started = time.monotonic()
        results[name] = stage(life)
        seconds = time.monotonic() - started
        costs[name] = {
            "seconds": round(costs.get(name, {}).get("seconds", 0.0) + seconds, 2),
            "peak_memory_bytes": max(peak_memory_bytes() or 0, costs.get(name, {}).get("peak_memory_bytes") or 0),
        }
        life.watcher.stage_finished(name, results[name], seconds)
        if name == until or not results[name].get("finished", True):
            break
        if life.stop_requested():
            raise Interrupted(f"stopped after the stage {name}; repeat the command to go on")
    _write_manifest(life, command, costs, files=_lasting_files(life))
    return {**results, "stages": costs, "run": str(life.run.path)}


def _earlier_costs(life: Life) -> dict[str, dict[str, Any]]:
    """Costs of earlier sittings, to which those of this one are added."""
    return dict(manifest.read_record(life.run.manifest).get("stages", {}))


def _lasting_files(life: Life) -> dict[str, Any]:
    """Hashes of all files but those that are made again from the others (the report, the study of samplers and this
    record itself), the hidden ones among the scores, which an evaluation that is not finished keeps until it is, and
    the lock."""
    made_again = (f"{life.run.report.name}/", f"{life.run.samplers.name}/", life.run.manifest.name)
    passing = (*made_again, f"{life.run.scores.name}/.", LOCK_NAME)
    entries = manifest.file_entries(life.run.path)
    return {name: entry for name, entry in entries.items() if not name.startswith(passing)}


def _write_manifest(life: Life, command: str, costs: dict[str, Any], *, files: dict[str, Any] | None = None) -> None:
    machine = {**hardware(), "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None}
    record = {
        "recipe": life.recipe.name,
        "recipe_sha256": life.recipe.fingerprint,
        "command": command,
        "versions": versions(),
        "hardware": machine,
        "threads": torch.get_num_threads(),
        "stages": costs,
    }
    if files is not None:
        record["files"] = files
    atomic.write_json(life.run.manifest, record)
