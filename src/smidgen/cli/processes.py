"""``--processes N``: the same command in several processes of this machine, which train together."""

import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated
from uuid import uuid4

import typer

from smidgen.errors import BadInput, CheckFailed, Interrupted, OutOfResources
from smidgen.training.launch import read_launch

Processes = Annotated[
    int | None,
    typer.Option("--processes", min=1, help="Train in so many processes that share this machine's cores or GPUs."),
]
OUR_EXIT_CODES = {error.exit_code for error in (CheckFailed, BadInput, OutOfResources, Interrupted)}


def is_first_process() -> bool:
    """Whether this process is the one that writes and speaks."""
    return read_launch(os.environ).is_first


def run_in_processes(count: int | None, words: Sequence[str]) -> None:
    """Run the command of these words in ``count`` processes and leave with their exit code.

    Returns where this process is to do the work itself: one is wanted, or it is one of several already. Raises
    ``BadInput`` when a launcher started another number.
    """
    launch = read_launch(os.environ)
    if launch.ranks > 1 and count not in (None, launch.ranks):
        raise BadInput(f"--processes {count}, and a launcher started {launch.ranks}; leave --processes out")
    if launch.ranks > 1 or count in (None, 1):
        return
    sys.exit(_exit_code_of(count, words))


def _exit_code_of(count: int, words: Sequence[str]) -> int:
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # The first process says what happened; the launcher would add a page that does not.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id=uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "smidgen", *words)
    except ChildFailedError as error:
        code = error.failures[min(error.failures)].exitcode
        return code if code in OUR_EXIT_CODES else CheckFailed.exit_code
    except SignalException:
        return Interrupted.exit_code
    return 0
