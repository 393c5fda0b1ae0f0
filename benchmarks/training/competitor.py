"""A way to train in a process of its own, which works only while it is asked for a step."""

import math
import os
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from training.task import Task
from training.turn import StepReport

BENCHMARKS = Path(__file__).resolve().parents[1]
# In which it removes what it stored; then it is ended.
SECONDS_TO_LEAVE = 30


class Competitor:
    """Started when made; ``steps`` are the reports of its timed steps."""

    def __init__(self, name: str, task: Task, *, threads: int, python: str = sys.executable) -> None:
        self.name = name
        self.steps: list[StepReport] = []
        self.first_loss = math.nan
        self._connection, theirs = Pipe()
        given = {
            "recipe": task.recipe,
            "sequences": task.sequences,
            "threads": threads,
            "connection": theirs.fileno(),
        }
        options = [word for key, value in given.items() for word in (f"--{key}", str(value))]
        # OpenMP as the command line has it (cli/app.py), and for the same reason; the profiler reports on itself
        # otherwise.
        environment = {"OMP_WAIT_POLICY": "PASSIVE", "KINETO_LOG_LEVEL": "99", **os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(BENCHMARKS), os.environ.get("PYTHONPATH"))))
        # What others print on the way belongs to no table.
        self._process = subprocess.Popen(
            [python, "-m", "training.worker", name, *options],
            env=environment,
            pass_fds=[theirs.fileno()],
            stdout=subprocess.DEVNULL,
            # Ctrl-C is ours: they leave when nobody asks them any more.
            start_new_session=True,
        )
        theirs.close()

    def start(self) -> str:
        """Train for two steps, of which the first compiles and the second settles; or say why that cannot be."""
        answer = self._answer()
        if isinstance(answer, str):
            return answer
        self.first_loss = answer.loss
        self.step()
        return ""

    def step(self, *, profiled: bool = False) -> StepReport:
        self._connection.send(profiled)
        return self._answer()

    def timed_step(self) -> None:
        self.steps.append(self.step())

    def leave(self) -> None:
        self._connection.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_LEAVE)
        self._process.kill()

    def _answer(self) -> Any:
        try:
            return self._connection.recv()
        except EOFError:
            raise SystemExit(f"{self.name} ended by itself; what it said is above") from None
