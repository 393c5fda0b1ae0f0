"""Keeps a sink at a distance: whatever it does, the run goes on and is told once."""

import queue
import threading
from collections.abc import Callable
from typing import Any

from smidgen.life.sinks.sink import Sink

# Enough for what a slow disk delays; a sink that hangs costs no more memory than this.
MOST_WAITING = 1000
# How long the end of a run waits for a sink.
CLOSING_SECONDS = 10.0


class Feed:
    """Hands records to a sink in a thread of its own, which dies with the process.

    ``open_sink`` is called in that thread, too. What fails there is told by the next ``put`` or by ``close`` to
    ``on_notice``, in the caller's thread, in one sentence; later records are then dropped, and so are those for which
    there is no room. ``dropped`` counts them.
    """

    def __init__(
        self,
        name: str,
        open_sink: Callable[[], Sink],
        on_notice: Callable[[str], None],
        *,
        closing_seconds: float = CLOSING_SECONDS,
    ) -> None:
        self.name, self.dropped = name, 0
        self._on_notice, self._closing_seconds = on_notice, closing_seconds
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue(MOST_WAITING)
        self._failure = ""
        self._is_told = False
        self._thread = threading.Thread(target=self._work, args=(open_sink,), name=f"sink {name}", daemon=True)
        self._thread.start()

    def put(self, record: dict[str, Any]) -> None:
        """Never waits and never raises."""
        if not self._offer(record):
            self.dropped += 1
            self._tell(self._failure or f"it does not keep up with {MOST_WAITING} records")

    def close(self) -> None:
        """Let the sink finish what it has, for a while."""
        if self._offer(None):
            self._thread.join(self._closing_seconds)
        if self._failure:
            self._tell(self._failure)
        elif self._thread.is_alive():
            self._tell(f"it did not finish within {self._closing_seconds:g} s")

    def _offer(self, record: dict[str, Any] | None) -> bool:
        if self._failure:
            return False
        try:
            self._waiting.put_nowait(record)
        except queue.Full:
            return False
        return True

    def _work(self, open_sink: Callable[[], Sink]) -> None:
        try:
            sink = open_sink()
            while (record := self._waiting.get()) is not None:
                sink.write(record)
            sink.close()
        except ModuleNotFoundError as error:
            self._failure = f'{error.name} is not installed; pip install "smidgen[watch]"'
        # A library may even call sys.exit: nothing that happens here is worth a run.
        except BaseException as error:
            self._failure = f"{type(error).__name__}: {error}"

    def _tell(self, what: str) -> None:
        if not self._is_told:
            self._is_told = True
            self._on_notice(
                f"the sink {self.name} is out of action ({what}); the run goes on, and measurements.jsonl holds "
                "everything"
            )
