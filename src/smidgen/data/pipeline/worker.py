"""A process of the local pool: reads tasks from its standard input and answers each on its standard output.

It is a program of its own, not a child that Python's ``multiprocessing`` would make: that would run the user's script
once more. Both ends are this program and nobody else can write to the pipes between them, which is why what goes
through them may be pickled. When the other end is gone, killed or not, it ends after the part that it is at.
"""

import os
import pickle
import signal
import sys
from typing import BinaryIO

from smidgen.data.pipeline.processing import Processing, Task, process


def main() -> None:
    # Ctrl-C reaches the whole group of processes; the one that was started by hand decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever prints must not write between the answers.
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, answers)


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    try:
        processing: Processing = pickle.load(requests)
        while True:
            task: Task = pickle.load(requests)
            pickle.dump(_failure_of(task, processing), answers)
            answers.flush()
    except (EOFError, BrokenPipeError):
        return


def _failure_of(task: Task, processing: Processing) -> Exception | None:
    try:
        process(task, processing)
    except Exception as error:  # the other process raises it
        return error
    return None


if __name__ == "__main__":
    main()
