"""One process at a time in a folder: two would save over each other."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from smidgen.errors import BadInput
from smidgen.records.atomic import disk_errors

LOCK_NAME = ".lock"


@contextmanager
def only_process(run: Path) -> Iterator[None]:
    """Keep other processes out of a run folder inside the block. Raises ``BadInput`` while another one is in it."""
    with lock(run / LOCK_NAME) as holder:
        if holder:
            raise BadInput(
                f"{run} is in use by another process (pid {holder}), and two would save over each other; "
                "wait for it or stop it, or give another folder"
            )
        yield


@contextmanager
def lock(path: Path) -> Iterator[str]:
    """Hold the lock of a file inside the block, if it is free: yields "", or the id of the process that holds it.

    The system lets go of the lock when the process ends, however it ends; the file itself stays.
    """
    with path.open("ab+", buffering=0) as file:
        holder = _holder(file)
        if not holder:
            with disk_errors(path):
                file.truncate(0)
                file.write(f"{os.getpid()}\n".encode())
        yield holder


def _holder(file: IO[bytes]) -> str:
    """Lock an open file; who has the lock already, "" when it is ours now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        return file.read().decode(errors="replace").strip() or "unknown"
    except OSError:
        # Some network drives know no locks: there the user has to take care, as before.
        pass
    return ""
