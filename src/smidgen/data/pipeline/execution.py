"""Which runner processes the parts of a build."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from smidgen.data.pipeline.processing import Processing
from smidgen.data.pipeline.runner import InProcess, Runner
from smidgen.errors import BadInput

# Below this a build is done before other processes have started (0.5 s each).
FEW_TOKENS = 3_000_000

Executor = Literal["pool", "datatrove", "ray"]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """``executor`` with ``workers`` processes; by default as many as this process has cores, for little data none.

    ``make_executor`` gives datatrove another executor than the local one: see `datatrove_runner.MakeExecutor`. The
    data are the same whatever this says.
    """

    executor: Executor = "pool"
    workers: int | None = None
    make_executor: Callable | None = None

    def runner(self, processing: Processing, stop_requested: Callable[[], bool], *, tokens: int) -> Runner:
        """The runner for a build of so many tokens. Raises ``BadInput`` for a package that is missing."""
        workers = self.workers or _cores()
        if self.executor == "datatrove":
            from smidgen.data.pipeline.datatrove_runner import DatatroveRunner

            return DatatroveRunner(processing, workers, stop_requested, self.make_executor)
        if self.executor == "ray":
            from smidgen.data.pipeline.ray_runner import RayRunner

            return RayRunner(processing, workers, stop_requested)
        if workers == 1 or (self.workers is None and tokens < FEW_TOKENS):
            return InProcess(processing, stop_requested)
        from smidgen.data.pipeline.pool import Pool

        return Pool(processing, workers, stop_requested)


def checked_executor(name: str) -> Executor:
    """Raise ``BadInput`` for a name that is none."""
    if name not in get_args(Executor):
        raise BadInput(f"--executor {name!r} is unknown; give pool, datatrove or ray")
    return cast(Executor, name)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
