"""Trials in this process: ordinary run folders, taken through the stages of a life up to their scores."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from smidgen.data.training_data import open_data
from smidgen.errors import CheckFailed
from smidgen.lab.ablation.outcome import DIVERGED, FINISHED
from smidgen.life.run import run_life
from smidgen.life.stages import Life, resolved_config
from smidgen.life.watcher import Watcher
from smidgen.recipes.loading import recipe_from_dict
from smidgen.recipes.ownership import claim
from smidgen.records import atomic
from smidgen.records.run_lock import lock, only_process
from smidgen.stopping import StopRequest
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.training.device import choose_device
from smidgen.training.progress import Progress
from smidgen.training.stack import Member, can_be_stacked, train_together
from smidgen.training.stack_choice import stacking_pays
from smidgen.trials.folder import AblationFolder
from smidgen.trials.job import Job, Work
from smidgen.trials.store import link_store
from smidgen.trials.trial_record import write_trial_record

# A step of a tiny model takes milliseconds, and nobody reads faster than this.
SECONDS_BETWEEN_REPORTS = 0.25

Tell = Callable[..., None]


def run_trials(job: Job, tell: Tell, stop_requested: StopRequest) -> dict[str, Any]:
    """Go on with the first trial of a job, and with those others that are best trained together with it.

    Tells which it has taken, and returns how each of these stands by name. "busy": another process has it. "ended":
    its record is written. "paused": it has seen ``max_tokens``. "stopped": it was asked to stop and can be continued.
    Raises what ``run_life`` raises, except that a training that diverges is an end like others.
    """
    folder = AblationFolder(Path(job.folder))
    with ExitStack() as locks:
        first, *others = job.works
        reason = _why_not(first, folder, locks)
        if reason:
            return {"states": {first.name: reason}}
        together = [work for work in _companions(first, others, job.device) if not _why_not(work, folder, locks)]
        taken = [_Taken(work, job, folder, tell, stop_requested) for work in (first, *together)]
        tell("taken", names=[one.work.name for one in taken])
        if len(taken) > 1:
            _train_together(taken, job.device, stop_requested)
        return {"states": {one.work.name: "stopped" if stop_requested() else one.go_on() for one in taken}}


def _why_not(work: Work, folder: AblationFolder, locks: ExitStack) -> str:
    """Why a trial is not to be carried out here, "" when its lock is ours now."""
    path = folder.claim_of(work.name)
    atomic.make_directories(path.parent)
    if locks.enter_context(lock(path)):
        return "busy"
    return "ended" if folder.has_ended(work.name) else ""


def _companions(first: Work, others: Sequence[Work], device: str | None) -> list[Work]:
    """Those that may be trained with the first as one program, where that is faster on this device."""
    recipe = recipe_from_dict(first.recipe, origin=first.name)
    found = [work for work in others if not can_be_stacked([recipe, recipe_from_dict(work.recipe, origin=work.name)])]
    return found if found and stacking_pays(recipe, choose_device(device), 1 + len(found)) else []


class _Taken:
    """A trial that this process has the lock of."""

    def __init__(self, work: Work, job: Job, folder: AblationFolder, tell: Tell, stop_requested: StopRequest) -> None:
        self.work, self.tell, self.stop_requested = work, tell, stop_requested
        self.is_over = False
        self.life = Life(
            recipe=recipe_from_dict(work.recipe, origin=work.name),
            run=folder.run_of(work.name),
            cache=Path(job.cache) if job.cache else None,
            eval_data=Path(job.eval_data) if job.eval_data else None,
            device=job.device,
            max_tokens=work.max_tokens,
            stop_requested=stop_requested,
            watcher=_Reporter(work.name, tell),
        )

    def prepare(self) -> None:
        claim(self.life.run, self.life.recipe)
        link_store(self.life.run, Path(self.work.store))

    def go_on(self) -> str:
        """Take it as far as it may go, unless it has diverged already; returns how it stands."""
        if self.is_over:
            return "ended"
        self.prepare()
        try:
            results = self.live_until("evaluate")
        except CheckFailed as error:
            self.end(DIVERGED, str(error))
            return "ended"
        for task, reason in results.get("evaluate", {}).get("skipped", {}).items():
            self.tell("notice", message=f"{task} is not scored: {reason}")
        if results["train"]["finished"]:
            self.end(FINISHED)
            return "ended"
        return "stopped" if self.stop_requested.reason else "paused"

    def live_until(self, stage: str) -> dict[str, Any]:
        return run_life(self.life, command=f"smidgen train --resume {self.life.run.path}", until=stage)

    def end(self, state: str, message: str = "") -> None:
        write_trial_record(self.life.run, self.work, state, message)
        self.is_over = True


def _train_together(taken: Sequence[_Taken], device: str | None, stop_requested: StopRequest) -> None:
    """Train all as one program and save; what is left of each life then goes on from its checkpoint.

    Raises the error of one that ended otherwise than by diverging.
    """
    for one in taken:
        one.prepare()
        one.live_until("data")
    with ExitStack() as runs:
        for one in taken:
            runs.enter_context(only_process(one.life.run.path))
        members = [_member(one) for one in taken]
        outcomes = train_together(members, device=choose_device(device), stop_requested=stop_requested)
    for one, outcome in zip(taken, outcomes, strict=True):
        if isinstance(outcome.error, CheckFailed):
            one.end(DIVERGED, str(outcome.error))
        elif outcome.error is not None:
            raise outcome.error


def _member(one: _Taken) -> Member:
    life, tokenizer = one.life, Tokenizer.open(one.life.run.tokenizer)
    return Member(
        recipe=life.recipe,
        run=life.run,
        data=open_data(life.run.data, tokenizer.fingerprint),
        config=resolved_config(life.recipe, tokenizer),
        max_tokens=life.max_tokens,
        eval_data=life.eval_data,
        on_progress=life.watcher.trained,
    )


class _Reporter(Watcher):
    """Tells the parent where a trial stands."""

    def __init__(self, name: str, tell: Tell) -> None:
        self.name, self.tell = name, tell
        self.told_at = 0.0

    def stage_started(self, stage: str) -> None:
        self.tell("stage", name=self.name, stage=stage)

    def trained(self, progress: Progress) -> None:
        if time.monotonic() - self.told_at < SECONDS_BETWEEN_REPORTS and progress.step < progress.steps:
            return
        self.told_at = time.monotonic()
        told = ("step", "steps", "tokens", "loss", "bits_per_byte", "tokens_per_second", "seconds_left")
        self.tell("progress", name=self.name, **{key: getattr(progress, key) for key in told})
