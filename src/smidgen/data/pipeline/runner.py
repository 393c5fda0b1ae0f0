"""Where parts are processed: the interface, and the simplest way, one after the other in this process."""

from collections.abc import Callable
from typing import Protocol

from smidgen.data.pipeline.processing import Processing, Task, check_stop, path_of, process

# How often a wait looks whether to stop.
POLL_SECONDS = 0.05


class Runner(Protocol):
    """Processes tasks somewhere. ``ahead`` is how many it wants to know of before they are waited for."""

    ahead: int

    def submit(self, task: Task) -> None:
        """Tell of a task that will probably be waited for; a part file that exists is not made again."""

    def wait(self, task: Task) -> None:
        """Return when the part file of a submitted task is there.

        Raises what `process` raises, and ``Interrupted`` when asked to stop.
        """

    def close(self) -> None:
        """Drop what was submitted and not waited for."""


class InProcess:
    """One part after the other, when it is waited for."""

    ahead = 1

    def __init__(self, processing: Processing, stop_requested: Callable[[], bool]) -> None:
        self._processing = processing
        self._stop_requested = stop_requested

    def submit(self, task: Task) -> None:
        pass

    def wait(self, task: Task) -> None:
        check_stop(self._stop_requested)
        if not path_of(task, self._processing).exists():
            process(task, self._processing, self._stop_requested)

    def close(self) -> None:
        pass
