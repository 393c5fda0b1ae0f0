"""A server process: an address, an application, and an end that loses no answer."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from math import ceil

import uvicorn
from starlette.applications import Starlette

from smidgen.errors import BadInput, Interrupted
from smidgen.serving.turns import Turns
from smidgen.stopping import StopRequest

# Connections that may wait to be accepted; asyncio's own number is 100.
_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A socket at this address; port 0 means any that is free. Raises ``BadInput`` when it cannot be had."""
    listening = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Now, so that who is told the address may connect before the server is ready.
        listening.listen(_BACKLOG)
    except OSError as error:
        if listening is not None:
            listening.close()
        raise BadInput(
            f"cannot listen at {host} port {port}: {error.strerror}; --port 0 takes any that is free"
        ) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: Starlette, listening: socket.socket, stop_requested: StopRequest, *, grace_seconds: float) -> None:
    """Answer until a stop is requested; then take no more, and finish within ``grace_seconds`` what is begun.

    ``app`` is one of ``completion_app``. Raises ``Interrupted`` when answers had to be cut off.
    """
    server = _Server(app, stop_requested, grace_seconds)
    server.run(sockets=[listening])
    if server.cut_off:
        answers = "1 answer was" if server.cut_off == 1 else f"{server.cut_off} answers were"
        raise Interrupted(f"stopped on request; {answers} cut off after {grace_seconds:g} s")


class _Server(uvicorn.Server):
    """``cut_off`` counts the answers that were not finished in time."""

    def __init__(self, app: Starlette, stop_requested: Callable[[], bool], grace_seconds: float) -> None:
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            # For clients that do not read: all others have heard by then that the server stops.
            timeout_graceful_shutdown=ceil(grace_seconds) + 5,
        )
        super().__init__(config)
        self._turns: Turns = app.state.turns
        self._stop_requested = stop_requested
        self._grace_seconds = grace_seconds
        self.cut_off = 0

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._stop_requested()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        cutting = asyncio.get_running_loop().call_later(self._grace_seconds, self._cut_off)
        await super().shutdown(sockets)
        cutting.cancel()

    def _cut_off(self) -> None:
        self.cut_off = self._turns.stop()
