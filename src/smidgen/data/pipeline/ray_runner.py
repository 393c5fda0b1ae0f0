"""Parts processed as tasks of Ray, on this machine or on a cluster that sees the same drive."""

import importlib.util
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smidgen.data.pipeline.processing import Processing, Task, check_stop, path_of, process
from smidgen.data.pipeline.runner import POLL_SECONDS
from smidgen.errors import BadInput, OutOfResources, SmidgenError

# Ray keeps them in line; a build far larger than this still has all workers busy.
MOST_AHEAD = 1_000


class RayRunner:
    """Tasks of one core each. A cluster that is running (``RAY_ADDRESS``) is used, else one of ``workers`` cores is
    started on this machine.

    Raises ``BadInput`` without the package ray.
    """

    def __init__(self, processing: Processing, workers: int, stop_requested: Callable[[], bool]) -> None:
        if importlib.util.find_spec("ray") is None:
            raise BadInput('--executor ray needs the package ray: pip install "smidgen[scale]"')
        import ray

        self.ahead = MOST_AHEAD
        self._ray = ray
        self._processing = processing.elsewhere()
        self._stop_requested = stop_requested
        self._owns_cluster = not ray.is_initialized()
        if self._owns_cluster:
            address = os.environ.get("RAY_ADDRESS")
            own: dict[str, Any] = {} if address else {"num_cpus": workers, "include_dashboard": False}
            ray.init(
                address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False, **own
            )
        self._stored = ray.put(self._processing)
        self._process = ray.remote(num_cpus=1, max_retries=3)(process)
        self._running: dict[Path, Any] = {}

    def submit(self, task: Task) -> None:
        path = path_of(task, self._processing)
        if not path.exists() and path not in self._running:
            self._running[path] = self._process.remote(task, self._stored)

    def wait(self, task: Task) -> None:
        self.submit(task)
        reference = self._running.pop(path_of(task, self._processing), None)
        if reference is None:
            return
        while not self._ray.wait([reference], timeout=POLL_SECONDS)[0]:
            check_stop(self._stop_requested)
        try:
            self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, SmidgenError):
                raise error.cause from error
            raise
        except self._ray.exceptions.RayError as error:
            problem = str(error).strip().split("\n")[0]
            raise OutOfResources(f"Ray lost a part ({problem}); repeat the command to go on") from error

    def close(self) -> None:
        for reference in self._running.values():
            self._ray.cancel(reference, force=True)
        if self._owns_cluster:
            self._ray.shutdown()
