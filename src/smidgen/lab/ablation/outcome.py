"""What became of a trial, as its folder tells."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput
from smidgen.lab.ablation.trial import folder_name
from smidgen.lab.item_results import ItemResults, item_results
from smidgen.lab.metric import Metric
from smidgen.lab.score_record import ScoreRecord, read_record
from smidgen.records import manifest
from smidgen.records.run_folder import RunFolder

TRIAL_NAME, RECIPE_SCORES = "trial.json", "recipe.json"
# How a trial can end; one that has not ended is pending.
FINISHED, DIVERGED, HALVED, FAILED, PENDING = "finished", "diverged", "halved", "failed", "pending"
# Of a sweep's trials besides: stopped by the pruner.
PRUNED = "pruned"


@dataclass(frozen=True, kw_only=True)
class TaskResults:
    """A trial's items in one task, in the metric that is quoted first."""

    metric: Metric
    items: ItemResults
    tokenizer_sha256: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A trial's end: its state, ``record`` as the trial wrote it, and its results by task where it was scored.

    ``skipped`` are tasks that could not be scored, with the reason.
    """

    variant: str
    seed: int
    scale: float
    state: str
    record: dict[str, Any]
    tasks: dict[str, TaskResults]
    skipped: dict[str, str]

    @property
    def is_over(self) -> bool:
        return self.state != PENDING

    def as_dict(self) -> dict[str, Any]:
        kept = {key: self.record.get(key) for key in ("message", "tokens", "text_bytes", "seconds", "bits_per_byte")}
        folder = f"trials/{folder_name(self.variant, self.seed, self.scale)}"
        return {"seed": self.seed, "scale": self.scale, "state": self.state, "folder": folder, **kept}


def read_outcome(trials: Path, variant: str, seed: int, scale: float) -> Outcome:
    """Read ``trial.json`` and the scores of a trial below the folder of all trials.

    A trial without a readable ``trial.json`` is pending. Raises ``BadInput`` where a finished one has no readable
    scores, or where the folder is another trial's.
    """
    run = RunFolder(trials / folder_name(variant, seed, scale))
    record = manifest.read_record(run.path / TRIAL_NAME)
    state = str(record.get("state", PENDING))
    said = (record.get("variant", variant), record.get("seed", seed), record.get("scale", scale))
    if said != (variant, seed, scale):
        raise BadInput(f"{run.path / TRIAL_NAME} tells of {said[0]}, seed {said[1]}, scale {said[2]:g}; move it back")
    scores = read_record(run.scores / RECIPE_SCORES) if state == FINISHED else None
    return Outcome(
        variant=variant,
        seed=seed,
        scale=scale,
        state=state,
        record=record,
        tasks=_results(scores) if scores else {},
        skipped=dict(scores.content.get("skipped") or {}) if scores else {},
    )


def _results(scores: ScoreRecord) -> dict[str, TaskResults]:
    found = {}
    for name in scores.tasks:
        task = scores.task(name)
        if task is not None:
            try:
                items = item_results(task, task.primary)
            except ValueError as error:
                raise BadInput(f"{scores.origin}, {name}: {error}; score the trial again") from error
            found[name] = TaskResults(metric=task.primary, items=items, tokenizer_sha256=scores.tokenizer_sha256)
    return found
