"""Waiting for another process of the same ablation, here or on another machine, to finish what all need once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from smidgen.errors import Interrupted
from smidgen.records import atomic
from smidgen.records.run_lock import lock

LOOK_SECONDS = 0.5


@contextmanager
def lock_in_turn(
    path: Path, what: str, stop_requested: Callable[[], bool], on_notice: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock of a file inside the block, after whoever has it: ``what`` says what that process does.

    Raises ``Interrupted`` when asked to stop while waiting.
    """
    atomic.make_directories(path.parent)
    has_told = False
    while True:
        with lock(path) as holder:
            if not holder:
                yield
                return
        if not has_told:
            has_told = True
            on_notice(f"waiting for process {holder}, which {what}")
        if stop_requested():
            raise Interrupted(
                "stopped while waiting for another process of the ablation; repeat the command to go on"
            )
        time.sleep(LOOK_SECONDS)
