"""One thread that computes for every client, a turn each, so that nobody waits for somebody else's long answer.

A job is an iterator; one step of it is a turn, and ``None`` means that the turn brought nothing to tell. Jobs never
share a matrix product, so that no answer depends on who else is asking.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from smidgen.generation.threads import single_thread
from smidgen.serving.refusal import Refusal

_END = object()


@dataclass(eq=False)
class _Ticket:
    """A job with the place where its results are awaited."""

    job: Iterator[Any]
    loop: asyncio.AbstractEventLoop
    deadline: float
    told: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    untold: list[Any] = field(default_factory=list)
    next_telling: float = 0.0
    abandoned: bool = False

    def tell(self, *last: Any) -> None:
        """Hand over what there is, and after that an end or an error."""
        messages = [*([self.untold] if self.untold else []), *last]
        self.untold = []
        try:
            for message in messages:
                self.loop.call_soon_threadsafe(self.told.put_nowait, message)
        except RuntimeError:
            # The loop is closed: nobody listens any more.
            self.abandoned = True


class Turns:
    """``active`` jobs take turns, up to ``waiting`` stand in line behind them; each has ``seconds`` in all.

    What a job brings is told at most every ``telling_seconds``.
    """

    def __init__(self, *, active: int, waiting: int, seconds: float, telling_seconds: float = 0.0) -> None:
        self._most_active = active
        self._most_waiting = waiting
        self._seconds = seconds
        self._telling_seconds = telling_seconds
        self._rotation: deque[_Ticket] = deque()
        self._line: deque[_Ticket] = deque()
        self._at_work: _Ticket | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._dropped = 0

    @property
    def active(self) -> int:
        """Jobs that take turns now."""
        return len(self._rotation) + (self._at_work is not None)

    @property
    def waiting(self) -> int:
        """Jobs in line."""
        return len(self._line)

    def start(self) -> None:
        self._is_stopping = False
        self._dropped = 0
        self._thread = threading.Thread(target=self._work, name="turns", daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Drop all jobs, wait for the turn at work, and say how many were dropped."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        return self._dropped

    async def batches(self, job: Iterator[Any]) -> AsyncGenerator[list[Any], None]:
        """What the job tells, as it comes, one or more results at a time. To close this is to drop the job.

        Raises what the job raises, and ``Refusal`` when the line is full or the time is over.
        """
        ticket = self._enter(job)
        try:
            while (batch := await ticket.told.get()) is not _END:
                if isinstance(batch, BaseException):
                    raise batch
                yield batch
        finally:
            self._leave(ticket)

    async def results(self, job: Iterator[Any]) -> AsyncGenerator[Any, None]:
        """The same, one result at a time."""
        async with aclosing(self.batches(job)) as batches:
            async for batch in batches:
                for result in batch:
                    yield result

    async def only(self, job: Iterator[Any]) -> Any:
        """The first thing that the job tells; the rest is dropped."""
        async with aclosing(self.results(job)) as results:
            return await anext(results)

    def _enter(self, job: Iterator[Any]) -> _Ticket:
        ticket = _Ticket(job, asyncio.get_running_loop(), time.monotonic() + self._seconds)
        with self._changed:
            if self._is_stopping:
                raise Refusal("the server is stopping; ask again when it is back", status=503)
            if self.active < self._most_active:
                self._rotation.append(ticket)
                self._changed.notify()
            elif len(self._line) < self._most_waiting:
                self._line.append(ticket)
            else:
                raise Refusal(
                    f"{self._most_active} requests are being answered and {self._most_waiting} wait; ask again later",
                    status=429,
                    headers={"Retry-After": "1"},
                )
        return ticket

    def _leave(self, ticket: _Ticket) -> None:
        """Free the place of a job that nobody listens to; one at work is dropped after its turn."""
        with self._changed:
            ticket.abandoned = True
            if ticket in self._line:
                self._line.remove(ticket)
            elif ticket in self._rotation:
                self._rotation.remove(ticket)
                self._promote()

    def _promote(self) -> None:
        if self._line and self.active < self._most_active:
            self._rotation.append(self._line.popleft())
            self._changed.notify()

    def _work(self) -> None:
        with single_thread():
            while (ticket := self._next()) is not None:
                goes_on = self._turn(ticket)
                with self._changed:
                    self._at_work = None
                    if goes_on and not ticket.abandoned:
                        self._rotation.append(ticket)
                    else:
                        self._promote()

    def _next(self) -> _Ticket | None:
        with self._changed:
            while not self._rotation and not self._is_stopping:
                self._changed.wait()
            if self._is_stopping:
                self._dropped = self.active + self.waiting
                for ticket in (*self._rotation, *self._line):
                    ticket.tell(Refusal("the server is stopping; ask again when it is back", status=503))
                self._rotation.clear()
                self._line.clear()
                return None
            self._at_work = self._rotation.popleft()
            return self._at_work

    def _turn(self, ticket: _Ticket) -> bool:
        """One step of a job; whether there are more."""
        now = time.monotonic()
        if now > ticket.deadline:
            ticket.tell(Refusal(f"the answer took longer than {self._seconds:.0f} s; ask for less", status=408))
            return False
        try:
            result = next(ticket.job)
        except StopIteration:
            ticket.tell(_END)
            return False
        except Exception as error:
            ticket.tell(error)
            return False
        if result is not None:
            ticket.untold.append(result)
        if ticket.untold and now >= ticket.next_telling:
            ticket.tell()
            ticket.next_telling = now + self._telling_seconds
        return True
