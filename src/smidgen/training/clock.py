"""How long a run has trained, over all its sittings, and how fast it does in this one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Starts with the sitting, which takes a run of ``seconds_before`` on from ``tokens_before``.

    ``seconds_aside`` are those of the sitting in which nothing was learned: of measuring and of saving.
    """

    def __init__(self, *, seconds_before: float = 0.0, tokens_before: int = 0) -> None:
        self._started_at = time.monotonic()
        self._seconds_before, self._tokens_before = seconds_before, tokens_before
        self.seconds_aside = 0.0

    @contextmanager
    def aside(self) -> Iterator[None]:
        """The time inside the block does not count for the speed."""
        started = time.monotonic()
        yield
        self.seconds_aside += time.monotonic() - started

    @property
    def seconds(self) -> float:
        """Seconds of the run so far, over all sittings."""
        return self._seconds_before + self._seconds_of_sitting

    def tokens_per_second(self, tokens: int) -> float:
        """Speed of the steps of this sitting that brought the run to ``tokens``, without the time aside."""
        return (tokens - self._tokens_before) / max(self._seconds_of_sitting - self.seconds_aside, 1e-9)

    def seconds_left(self, tokens: int, of: int) -> float:
        """What the rest will take at the pace of this sitting, measuring and saving included."""
        return self._seconds_of_sitting / max(1, tokens - self._tokens_before) * (of - tokens)

    @property
    def _seconds_of_sitting(self) -> float:
        return time.monotonic() - self._started_at
