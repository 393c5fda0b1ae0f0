"""The workers of this machine, seen from the process that gives them work."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from smidgen.records import atomic
from smidgen.trials.job import Job

# Workers save and leave within seconds; what takes longer than this hangs.
PATIENCE_SECONDS = 60.0
# The server of the workers is a process that can be killed as any other; one that keeps dying is a defect.
MOST_SERVERS = 5


class Crew:
    """Starts jobs in processes of their own and tells what becomes of them; a context manager.

    Leaving it asks all workers to save and stop, and waits for them; by Ctrl-C it ends them at once. ``log`` gets
    what the server of the workers prints.
    """

    def __init__(self, log: Path) -> None:
        self.running: set[int] = set()
        self._log = log
        self._number = self._servers = 0
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self._start_server()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The end of its input asks the server's workers to save and stop.
        with suppress(OSError):
            self._input.close()
        with suppress(subprocess.TimeoutExpired):
            self._server.wait(0 if kind and issubclass(kind, KeyboardInterrupt) else PATIENCE_SECONDS)
        if self._server.poll() is None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
        # It ends with the last process that could tell something, and closes its end then.
        self._reader.join(PATIENCE_SECONDS)

    def start(self, job: Job) -> int:
        """Give a job to a new worker; returns the number under which its events come."""
        self._number += 1
        self.running.add(self._number)
        self._say(json.dumps({"id": self._number, "job": job.as_dict()}).encode())
        return self._number

    def next_event(self, seconds: float) -> dict[str, Any] | None:
        """What a worker told next, ``None`` when nothing comes in so many seconds.

        ``event`` says what it is and ``id`` whose. The last event of each is "left", with the exit code ``code``
        (negative: the signal that killed it).
        """
        try:
            event = self._events.get(timeout=seconds)
        except queue.Empty:
            return None
        if event["event"] == "lost":
            self._replace_server()
            return self.next_event(seconds)
        if event["event"] == "left":
            self.running.discard(event["id"])
        return event

    def ask_to_stop(self) -> None:
        """Let all workers save and leave."""
        self._say(b"stop")

    def _say(self, line: bytes) -> None:
        # Where the server is gone, `next_event` says so.
        with suppress(OSError):
            self._input.write(line + b"\n")
            self._input.flush()

    def _start_server(self) -> None:
        self._servers += 1
        atomic.make_directories(self._log.parent)
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "smidgen.trials.fork_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C is for us, and we pass it on.
                start_new_session=True,
                # Threads that wait by spinning take the core from other workers (smidgen/cli/app.py).
                env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
            )
        assert self._server.stdin is not None
        assert isinstance(self._server.stdout, BufferedReader)
        self._input: IO[bytes] = self._server.stdin
        self._reader = threading.Thread(target=_forward, args=(self._server.stdout, self._events), daemon=True)
        self._reader.start()

    def _replace_server(self) -> None:
        """After the server was killed: its workers count as killed, too, and are asked to stop by the system."""
        code = self._server.wait()
        with suppress(OSError):
            self._input.close()
        if code >= 0 or self._servers == MOST_SERVERS:
            raise RuntimeError(f"the process that starts workers ended with code {code}; {self._log} may say why")
        for number in sorted(self.running):
            self._events.put({"event": "left", "id": number, "code": code})
        self._start_server()


def _forward(lines: BufferedReader, events: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Put what the server's side tells into the queue, until the last process that could tell is gone."""
    with lines:
        for event in _parsed(lines):
            events.put(event)
    events.put({"event": "lost"})


def _parsed(lines: BufferedReader) -> Iterator[dict[str, Any]]:
    unread = b""
    while received := lines.read1(1 << 16):
        *whole, unread = (unread + received).split(b"\n")
        yield from map(json.loads, whole)
