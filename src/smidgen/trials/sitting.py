"""One sitting of an ablation: what this process and its workers do until all is done or they are stopped."""

import math
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from smidgen.errors import BadInput, CheckFailed, Interrupted, OutOfResources
from smidgen.lab.ablation.outcome import FAILED, HALVED, PRUNED
from smidgen.lab.ablation.trial import Trial
from smidgen.records import atomic, manifest
from smidgen.records.run_lock import lock
from smidgen.stopping import StopRequest
from smidgen.trials.crew import Crew
from smidgen.trials.folder import AblationFolder
from smidgen.trials.job import Job, Work
from smidgen.trials.places import Place
from smidgen.trials.programme import Programme
from smidgen.trials.store import Store
from smidgen.trials.trial_record import write_trial_record
from smidgen.trials.watcher import AblationWatcher

ERRORS = {error.exit_code: error for error in (BadInput, CheckFailed, OutOfResources, Interrupted)}
# How long an event of a worker is waited for before signals and clock are looked at.
EVENT_SECONDS = 0.2
# How often the folder is looked at for what other processes did, and a trial is asked for that one of them has.
LOOK_SECONDS = 2.0
# A trial whose worker died is gone on with once; whatever kills the second one would kill a third.
MOST_CRASHES = 2
# Trials that a worker with a GPU is offered to train together; the most that was measured (benchmarks).
MOST_TOGETHER = 16


@dataclass
class _Running:
    """A job of a worker, where it computes, and what came of it so far."""

    job: Job
    place: Place
    result: dict[str, Any] | None = None
    error: Exception | None = None
    code: int = 0

    @property
    def names(self) -> list[str]:
        return [work.name for work in self.job.works]


class Sitting:
    """Gives jobs to a crew and takes what comes of them.

    ``common`` is a job that holds what is the same for all: folder, device, cache, benchmark files. Methods raise
    the error that a worker ended with, after all others have saved and left.
    """

    def __init__(
        self, crew: Crew, folder: AblationFolder, common: Job, watcher: AblationWatcher, stop_requested: StopRequest
    ) -> None:
        self.crew, self.folder, self.common = crew, folder, common
        self.watcher, self.stop_requested = watcher, stop_requested
        self._running: dict[int, _Running] = {}
        self._crashes: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}
        self._told_ends: set[str] = set()
        self._said: set[str] = set()
        self._error: Exception | None = None
        self._is_stopping = False
        self._look_at = 0.0

    def do(self, jobs: Sequence[Job], places: Sequence[Place]) -> list[dict[str, Any]]:
        """Let workers do a job at each place, all at once, and return the results.

        Raises ``Interrupted`` when stopped before they are done.
        """
        todo = [] if self.stop_requested() else zip(jobs, places, strict=True)
        numbers = [self._start(job, place) for job, place in todo]
        results: dict[int, dict[str, Any]] = {}
        while self._running:
            self._stop_if_asked()
            for number, left in self._left():
                if left.result is not None:
                    results[number] = left.result
                elif not self._is_stopping:
                    self._fail(left.error or RuntimeError(f"a worker ended {_how(left.code)}; see {left.job.log}"))
        self._raise_error()
        if len(results) < len(jobs):
            raise Interrupted("stopped before the trials began; repeat the command to go on")
        return [results[number] for number in numbers]

    def carry_out(self, programme: Programme, store_of: Callable[[Trial], Store], places: Sequence[Place]) -> None:
        """Go on with trials until all have ended or a stop is requested; waits for those of other processes."""
        known = [trial.folder_name for trial in programme.trials]
        self._told_ends = {name for name in known if self.folder.has_ended(name)}
        is_done = False
        while self._running or not (is_done or self._is_stopping):
            self._stop_if_asked()
            for _, left in self._left():
                self._take(left)
            if not self._is_stopping and time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + LOOK_SECONDS
                is_done = self._fill(programme, store_of, places)
        self._raise_error()

    # What `carry_out` does in turn.

    def _fill(self, programme: Programme, store_of: Callable[[Trial], Store], places: Sequence[Place]) -> bool:
        """Give trials to the places that are free; returns whether none is left to be carried out."""
        taken = {name for running in self._running.values() for name in running.names}
        free = list(places)
        for running in self._running.values():
            free.remove(running.place)
        due = programme.look(len(free), taken)
        trials = programme.trials
        for state, ended in ((HALVED, due.stopped), (PRUNED, due.pruned)):
            for trial, reason in ended:
                self._end(trial, state, reason)
        for trial in [trial for trial in trials if self._crashes[trial.folder_name] >= MOST_CRASHES]:
            self._end(trial, FAILED, f"its worker ended {MOST_CRASHES} times without a word; {self._advice(trial)}")
        self._tell_ends(trials)
        ready = [
            _work(trial, store_of(trial), max_tokens)
            for trial, max_tokens in due.open
            if trial.folder_name not in taken and not self._is_to_wait(trial.folder_name)
        ]
        while ready and free:
            works = self._offer(ready, free)
            log = str(self.folder.log_of(works[0].name))
            self._start(replace(self.common, kind="trials", works=works, log=log), free.pop(0))
            ready = [work for work in ready if work not in works]
        return not (due.open or due.stopped or due.pruned)

    def _offer(self, ready: Sequence[Work], free: Sequence[Place]) -> tuple[Work, ...]:
        """The next trial; for a GPU, which may train several together, also its share of those that come after.

        The worker takes what suits it. Whatever has died once is carried out alone.
        """
        if not free[0].gpu or self._crashes[ready[0].name]:
            return tuple(ready[:1])
        share = min(MOST_TOGETHER, math.ceil(len(ready) / len(free)))
        return tuple([ready[0], *(work for work in ready[1:] if not self._crashes[work.name])][:share])

    def _is_to_wait(self, name: str) -> bool:
        is_hopeless = self._crashes[name] >= MOST_CRASHES
        return is_hopeless or self.folder.has_ended(name) or time.monotonic() < self._not_before.get(name, 0.0)

    def _take(self, left: _Running) -> None:
        """Draw the conclusions from a job that has ended. Trials that ended well have their records by now."""
        self._look_at = 0.0
        for name in left.names:
            self.watcher.left(name)
        if left.error is not None:
            # Somebody asked this one worker to stop; its trial is still to be done.
            if not isinstance(left.error, Interrupted):
                self._fail(left.error)
        elif left.result is not None:
            for name, state in left.result["states"].items():
                if state == "busy":
                    self._not_before[name] = time.monotonic() + LOOK_SECONDS
                    self._notice(f"another process has {name}; it is waited for")
        elif not self._is_stopping:
            self._crashes.update(left.names)
            for name in left.names:
                if self._crashes[name] < MOST_CRASHES:
                    self._notice(
                        f"the worker of {name} ended {_how(left.code)}; another one goes on from its checkpoint"
                    )

    def _end(self, trial: Trial, state: str, message: str) -> None:
        """Write down how a trial ended, unless another process is still at it."""
        name = trial.folder_name
        claim = self.folder.claim_of(name)
        atomic.make_directories(claim.parent)
        with lock(claim) as holder:
            if not holder and not self.folder.has_ended(name):
                write_trial_record(self.folder.run_of(name), trial, state, message)

    def _tell_ends(self, trials: Sequence[Trial]) -> None:
        for name in (trial.folder_name for trial in trials):
            if name not in self._told_ends and self.folder.has_ended(name):
                self._told_ends.add(name)
                self.watcher.ended(name, manifest.read_record(self.folder.record_of(name)))

    def _advice(self, trial: Trial) -> str:
        return (
            f"memory may have run out (fewer --workers need less), and {self.folder.log_of(trial.folder_name)} may "
            f"say more; remove {self.folder.record_of(trial.folder_name)} to try again"
        )

    # Jobs and their events.

    def _start(self, job: Job, place: Place) -> int:
        number = self.crew.start(replace(job, gpu=place.gpu, threads=place.threads))
        self._running[number] = _Running(job=job, place=place)
        return number

    def _left(self) -> list[tuple[int, _Running]]:
        """Wait for an event for a moment; the job whose last one it is, if any."""
        event = self.crew.next_event(EVENT_SECONDS)
        if event is None:
            return []
        number = event["id"]
        running = self._running[number]
        match event["event"]:
            case "result":
                running.result = event
            case "error":
                where = "" if running.job.kind != "trials" else f"trial {', '.join(running.names)}: "
                running.error = ERRORS[event["code"]](f"{where}{event['message']}")
            case "left":
                running.code = event["code"]
                return [(number, self._running.pop(number))]
            case "notice":
                self._notice(event["message"])
            case "taken":
                running.job = replace(
                    running.job, works=tuple(work for work in running.job.works if work.name in event["names"])
                )
                for name in running.names:
                    self.watcher.started(name)
                # Those that it did not take are for others.
                self._look_at = 0.0
            case "counted":
                self.watcher.counted(event["what"], event["done"], event["total"])
            case "preparing":
                self.watcher.preparing(event["what"])
            case _:
                self.watcher.told(event["name"], event)
        return []

    def _stop_if_asked(self) -> None:
        if self.stop_requested() and not self._is_stopping:
            self._is_stopping = True
            self.crew.ask_to_stop()

    def _fail(self, error: Exception) -> None:
        """Let the others save and leave; the first error is the one that is raised then."""
        self._error = self._error or error
        if not self._is_stopping:
            self._is_stopping = True
            self.crew.ask_to_stop()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _notice(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self.watcher.noticed(message)


def _work(trial: Trial, store: Store, max_tokens: int | None) -> Work:
    return Work(
        name=trial.folder_name,
        recipe=trial.recipe.as_dict(),
        store=str(store.path),
        variant=trial.variant,
        seed=trial.seed,
        scale=trial.scale,
        max_tokens=max_tokens,
    )


def _how(code: int) -> str:
    """How a process ended, in words."""
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
