"""One process at a time in a run folder: two would save over each other."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smidgen.errors import BadInput
from smidgen.records.atomic import disk_errors

LOCK_NAME = ".lock"


@contextmanager
def only_process(run: Path) -> Iterator[None]:
    """Keep other processes out of a run folder inside the block. Raises ``BadInput`` while another one is in it.

    The system lets go of the lock when the process ends, however it ends; the file itself stays.
    """
    with (run / LOCK_NAME).open("ab+", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().decode(errors="replace").strip() or "unknown"
            raise BadInput(
                f"{run} is in use by another process (pid {holder}), and two would save over each other; "
                "wait for it or stop it, or give another folder"
            ) from error
        except OSError:
            # Some network drives know no locks: there the user has to take care, as before.
            pass
        with disk_errors(run):
            file.truncate(0)
            file.write(f"{os.getpid()}\n".encode())
        yield
