"""Parts processed by an executor of datatrove: processes of this machine, Slurm, or Ray."""

import importlib.util
import itertools
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smidgen.data.pipeline.processing import Processing, Task, check_stop, path_of, process
from smidgen.data.pipeline.runner import POLL_SECONDS
from smidgen.errors import BadInput

# A wave of tasks is one job of the executor.
MOST_AHEAD = 100_000

# A file of this name beside the part files ends the tasks of a job soon, wherever they run.
STOP_NAME = "stop"

# Called with a pipeline, the number of its tasks and a folder for its logs; gives something with a ``run`` method.
MakeExecutor = Callable[[list[Any], int, Path], Any]


@dataclass(repr=False)
class ProcessParts:
    """A step of a datatrove pipeline: rank r of n processes tasks r, r + n, r + 2n ..."""

    processing: Processing
    tasks: list[Task] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"ProcessParts({len(self.tasks)} parts)"

    def __call__(self, data: Iterable[Any] | None = None, rank: int = 0, world_size: int = 1) -> Iterable[Any]:
        stop = self.processing.folder / STOP_NAME
        for task in self.tasks[rank::world_size]:
            if not path_of(task, self.processing).exists():
                process(task, self.processing, stop.exists)
        return data or ()


class DatatroveRunner:
    """Hands all that is known to be needed to an executor as one job, and waits for its part files.

    ``make_executor`` makes any of datatrove's; without it the local one with ``workers`` processes. An executor that
    only hands the job in, as Slurm's does, is waited for by its part files.
    Raises ``BadInput`` without the package datatrove.
    """

    def __init__(
        self,
        processing: Processing,
        workers: int,
        stop_requested: Callable[[], bool],
        make_executor: MakeExecutor | None = None,
    ) -> None:
        if importlib.util.find_spec("datatrove") is None:
            raise BadInput('--executor datatrove needs the package datatrove: pip install "smidgen[scale]"')
        self.ahead = MOST_AHEAD
        self._processing = processing.elsewhere()
        self._workers = workers
        self._stop_requested = stop_requested
        self._make_executor = make_executor or self._local
        self._waiting: dict[Path, Task] = {}
        self._waves = itertools.count()

    def submit(self, task: Task) -> None:
        path = path_of(task, self._processing)
        if not path.exists():
            self._waiting[path] = task

    def wait(self, task: Task) -> None:
        self.submit(task)
        path = path_of(task, self._processing)
        if path in self._waiting:
            wave, self._waiting = list(self._waiting.values()), {}
            self._run(wave)
        while not path.exists():
            check_stop(self._stop_requested)
            time.sleep(POLL_SECONDS)

    def close(self) -> None:
        self._waiting = {}

    def _run(self, wave: list[Task]) -> None:
        logs = self._processing.folder / "logs" / f"{time.time_ns()}-{next(self._waves)}"
        ranks = min(len(wave), max(self._workers, len(wave) // 10))
        executor = self._make_executor([ProcessParts(self._processing, wave)], ranks, logs)
        stop = self._processing.folder / STOP_NAME
        stop.unlink(missing_ok=True)
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(executor.run)
            try:
                while not running.done():
                    check_stop(self._stop_requested)
                    time.sleep(POLL_SECONDS)
            except BaseException:
                stop.touch()
                raise
        if isinstance(executor, _local_executor()):
            for task in wave:
                # What failed there fails here, with its own sentence and exit code.
                if not path_of(task, self._processing).exists():
                    process(task, self._processing, self._stop_requested)
        running.result()

    def _local(self, pipeline: list[Any], tasks: int, logs: Path) -> Any:
        return _local_executor()(
            pipeline=pipeline, tasks=tasks, workers=self._workers, logging_dir=str(logs), skip_completed=False
        )


def _local_executor() -> Any:
    from datatrove.executor import LocalPipelineExecutor

    return LocalPipelineExecutor
