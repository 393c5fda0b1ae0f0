"""Parts processed by several processes of this machine."""

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from pathlib import Path
from typing import Any

import smidgen
from smidgen.data.pipeline.processing import Processing, Task, check_stop, path_of
from smidgen.data.pipeline.runner import POLL_SECONDS
from smidgen.errors import OutOfResources
from smidgen.tokenization.text_encoder import WORTHWHILE_CHARACTERS


class Pool:
    """``workers`` processes, each with one thread; they start when the first part is submitted."""

    def __init__(self, processing: Processing, workers: int, stop_requested: Callable[[], bool]) -> None:
        self.ahead = 2 * workers
        self._processing = processing.elsewhere()
        # Compiled once here and not by each worker; and a notice that it cannot be stands where users look for it.
        processing.tokenizer.encode_arrays(["x" + " x" * (WORTHWHILE_CHARACTERS // 2)])
        self._stop_requested = stop_requested
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="part")
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._started: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._is_closed = False
        self._futures: dict[Path, Future[None]] = {}

    def submit(self, task: Task) -> None:
        path = path_of(task, self._processing)
        if not path.exists() and path not in self._futures:
            self._futures[path] = self._threads.submit(self._process, task)

    def wait(self, task: Task) -> None:
        path = path_of(task, self._processing)
        self.submit(task)
        future = self._futures.get(path)
        while future:
            check_stop(self._stop_requested)
            with suppress(NotYet):
                future.result(timeout=POLL_SECONDS)
                del self._futures[path]
                return

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            for worker in self._started:
                worker.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._started:
            worker.communicate()

    def _process(self, task: Task) -> None:
        worker = self._worker()
        try:
            _send(worker, task)
            failure = pickle.load(_pipe(worker.stdout))
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise OutOfResources(
                f"a process that tokenises ended unexpectedly (exit status {worker.wait()}), perhaps for want of "
                "memory; repeat the command with fewer --workers"
            ) from error
        self._idle.put(worker)
        if failure:
            raise failure

    def _worker(self) -> "subprocess.Popen[bytes]":
        with suppress(queue.Empty):
            return self._idle.get_nowait()
        with self._lock:
            if self._is_closed:
                raise OutOfResources("the pool is closed")
            worker = _started_worker()
            self._started.append(worker)
        _send(worker, self._processing)
        return worker


def _started_worker() -> "subprocess.Popen[bytes]":
    # The package may have been found otherwise than by being installed.
    paths = [str(Path(next(iter(smidgen.__path__))).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TOKENIZERS_PARALLELISM": "false"}
    words = [sys.executable, "-m", "smidgen.data.pipeline.worker"]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


def _send(worker: "subprocess.Popen[bytes]", message: object) -> None:
    pipe = _pipe(worker.stdin)
    pickle.dump(message, pipe)
    pipe.flush()


def _pipe(pipe: Any) -> Any:
    assert pipe is not None, "the worker was started with pipes"
    return pipe
