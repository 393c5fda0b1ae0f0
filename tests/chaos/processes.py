"""Smidgen in processes of its own that start in milliseconds and can be killed, stopped and starved."""

import json
import mmap
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


class Mark:
    """16 bytes shared with a process: whether it is inside a save, and the step of its last finished save."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(16))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 16)

    @property
    def saving(self) -> bool:
        return self._memory[0] == 1

    @property
    def saved_step(self) -> int:
        return int.from_bytes(self._memory[8:16], "little")

    def clear_saving(self) -> None:
        """Before the next process: the last one may have been killed inside a save."""
        self._memory[0] = 0


@dataclass
class Process:
    """A started job. Once awaited, ``code`` is the exit code, negative for a signal, and ``said`` its output."""

    server: "Processes"
    pid: int
    code: int | None = None
    said: str = ""

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    @property
    def running(self) -> bool:
        """Whether it still runs; a process that ended is kept by the system until it is waited for."""
        return self.code is None and Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"

    def wait(self) -> int:
        if self.code is None:
            answer = self.server.ask({"wait": self.pid})
            self.code, self.said = answer["code"], answer["said"]
        return self.code


class Processes:
    """The server of ``fork_server.py`` and what it started."""

    def __init__(self) -> None:
        self._started: list[Process] = []
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("fork_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def ask(self, job: dict) -> dict:
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())

    def start(self, **job) -> Process:
        process = Process(self, self.ask(job)["pid"])
        self._started.append(process)
        return process

    def train(self, run, **job) -> Process:
        """Only the training of a prepared run."""
        return self.start(train=str(run.path), **job)

    def smidgen(self, *words, **job) -> Process:
        """A command as a user gives it."""
        return self.start(words=[str(word) for word in words], **job)

    def close(self) -> None:
        for process in self._started:
            if process.code is None:
                process.send(signal.SIGKILL)
                process.wait()
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()


def wait_until(condition, process, seconds: float = 60) -> bool:
    """Whether the condition came true before the process ended."""
    deadline = time.monotonic() + seconds
    while not condition():
        if not process.running:
            return condition()
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    return True
