"""Being asked to stop: by Ctrl-C, by the system, or by a wall-clock budget.

Long work polls a ``StopRequest`` between its steps, saves what it has and ends. Hosted notebooks give no signal
before they take the machine, which is what the budget is for.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# From none to the one that stands when there are several.
REASONS = ("", "time", "signal")


class StopRequest:
    """Callable that answers whether to stop; ``reason`` says why once it does, one of ``REASONS``."""

    def __init__(self, max_seconds: float | None = None) -> None:
        self._deadline = None if max_seconds is None else time.monotonic() + max_seconds
        self.reason = ""

    def __call__(self) -> bool:
        if not self.reason and self._deadline is not None and time.monotonic() >= self._deadline:
            self.reason = "time"
        return bool(self.reason)

    def signal(self) -> None:
        self.reason = "signal"


@contextmanager
def terminated_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM raise ``KeyboardInterrupt`` inside the block, so that whoever sends it reads the same exit code."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def stop_on_signals(max_seconds: float | None = None) -> Iterator[StopRequest]:
    """Let SIGINT and SIGTERM ask for a stop inside the block. A second signal ends the process as usual."""
    request = StopRequest(max_seconds)
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_signal(number: int, _: FrameType | None) -> None:
        request.signal()
        signal.signal(number, previous[signal.Signals(number)])

    for number in previous:
        signal.signal(number, on_signal)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
