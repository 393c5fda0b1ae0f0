"""Starts workers at once: PyTorch is imported here a single time, then every job is a fork of this process.

Run as a program by ``crew.Crew``. Reads a line of JSON for each job and forwards what the workers tell, a line of
JSON each. No thread is started and no number computed here, so that a worker's torch is as fresh as after an import;
whatever a job compiles, allocates or breaks ends with its process.
"""

import ctypes
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # what torch's optimisers import when the first one is made, for more than a second

from smidgen.errors import Interrupted, OutOfResources, SmidgenError
from smidgen.records.atomic import DISK_IS_FULL, make_directories
from smidgen.stopping import StopRequest, stop_on_signals
from smidgen.training.device import is_out_of_memory
from smidgen.trials.density import measure_densities
from smidgen.trials.job import Job
from smidgen.trials.machine import describe_machine
from smidgen.trials.rate import measure_rates
from smidgen.trials.store_build import build_stores
from smidgen.trials.trial_run import run_trials

JOBS: dict[str, Callable[[Job, Callable[..., None], StopRequest], dict[str, Any]]] = {
    "machine": describe_machine,
    "store": build_stores,
    "rate": measure_rates,
    "density": measure_densities,
    "trials": run_trials,
}
# A write of up to so many bytes to a pipe is not mixed with those of other processes (POSIX: PIPE_BUF).
MOST_BYTES_TOLD = 4096
# Characters of a message, of up to four bytes each.
MOST_MESSAGE = 900
NEEDS_LESS = "fewer --workers or a smaller training.micro_batch_size need less"
SECONDS_BETWEEN_LOOKS = 0.05
# Linux: the signal that a process gets when its parent ends (<sys/prctl.h>).
PR_SET_PDEATHSIG = 1


def serve(told: int) -> None:
    """Start a worker for each line of stdin and tell of each that left, until stdin is closed and all have left.

    The line "stop" asks all workers to save and stop, and so does the end of stdin: nobody is left to tell then.
    """
    workers: dict[int, int] = {}
    unread, is_open = b"", True
    while is_open or workers:
        for pid, code in _left(workers):
            _tell(told, "left", id=workers.pop(pid), code=code)
        ready = select.select([0] if is_open else [], [], [], SECONDS_BETWEEN_LOOKS)[0]
        if not ready:
            continue
        received = os.read(0, 1 << 20)
        is_open = bool(received)
        *lines, unread = (unread + (received or b"stop\n")).split(b"\n")
        for line in lines:
            if line == b"stop":
                _ask_to_stop(workers)
            else:
                request = json.loads(line)
                workers[_fork(request["id"], Job.from_dict(request["job"]), told)] = request["id"]


def _left(workers: dict[int, int]) -> list[tuple[int, int]]:
    """Process and exit code (negative: the signal that killed it) of the workers that have left."""
    codes = {pid: os.waitpid(pid, os.WNOHANG) for pid in workers}
    return [(pid, os.waitstatus_to_exitcode(status)) for pid, (left, status) in codes.items() if left]


def _ask_to_stop(workers: dict[int, int]) -> None:
    for pid in workers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _fork(number: int, job: Job, told: int) -> int:
    server = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _die_with(server)
        _redirect(Path(job.log) if job.log else None)
        code = _work(number, job, told)
    except BaseException:
        # A defect of ours: the parent sees that the worker left without a result, people read the log.
        traceback.print_exc()
    finally:
        # Whatever happens to the log, this process must not go on as a second server.
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _work(number: int, job: Job, told: int) -> int:
    """Do the job and tell its result or the error that ended it; returns the exit code."""

    def tell(event: str, **values: Any) -> None:
        _tell(told, event, id=number, **values)

    if job.gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = job.gpu
    if job.threads:
        torch.set_num_threads(job.threads)
    try:
        with stop_on_signals() as stop_requested, _resource_errors():
            tell("result", **JOBS[job.kind](job, tell, stop_requested))
    except SmidgenError as error:
        tell("error", code=error.exit_code, message=str(error))
        return error.exit_code
    return 0


@contextmanager
def _resource_errors() -> Iterator[None]:
    """What means that disk or memory is used up, as ``OutOfResources``."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted("stopped on request") from error
    except MemoryError as error:
        raise OutOfResources(f"out of memory; {NEEDS_LESS}") from error
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfResources(f"out of memory; {NEEDS_LESS}") from error
    except OSError as error:
        if error.errno not in DISK_IS_FULL:
            raise
        raise OutOfResources(f"no space left on the disk ({error.filename or 'output'}); free some") from error


def _tell(told: int, event: str, **values: Any) -> None:
    """Write a line to whoever started the server; whoever has gone needs to hear nothing."""
    values = {key: value[:MOST_MESSAGE] if key == "message" else value for key, value in values.items()}
    line = json.dumps({"event": event, **values}, ensure_ascii=False).encode(errors="replace") + b"\n"
    assert len(line) <= MOST_BYTES_TOLD, event
    with suppress(BrokenPipeError):
        os.write(told, line)


def _redirect(log: Path | None) -> None:
    """Let what is printed go to the log, and nothing be read."""
    if log is not None:
        make_directories(log.parent)
    output = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def _die_with(server: int) -> None:
    """Be asked to stop when the server ends, however it ends. Elsewhere than on Linux a worker then goes on alone."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != server:
        os._exit(1)


if __name__ == "__main__":
    # It ends when its parent does, and not before the workers have saved.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    told_to = os.dup(1)
    os.dup2(2, 1)
    serve(told_to)
