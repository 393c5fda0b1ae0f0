"""Who may talk to the server: programs on this machine, and pages that the server itself sent.

A page of any site can make its reader's browser send requests to 127.0.0.1. What gives it away is its Origin; and a
site that lets its own name point to 127.0.0.1 (DNS rebinding) is given away by the Host that it is called by.
"""

import re
from collections.abc import Iterable, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smidgen.errors import BadInput
from smidgen.serving.json_answer import refusal_response
from smidgen.serving.refusal import Refusal

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

_NAME = r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)"
_HOST = re.compile(_NAME + r"(:[0-9]{1,5})?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://" + _NAME + r"(:[0-9]{1,5})?")
# Text is text: no browser guesses a type, frames an answer or keeps it.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def checked_hosts(hosts: Sequence[str]) -> tuple[str, ...]:
    """Names in small letters. Raises ``BadInput`` for anything but a name or an address."""
    for host in hosts:
        if not re.fullmatch(_NAME, host.lower()):
            raise BadInput(f"{host!r} is no name of a machine; give one without http:// and port, such as my-machine")
    return tuple(host.lower() for host in hosts)


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Origins as browsers write them. Raises ``BadInput`` for anything else, and for ``*``."""
    for origin in origins:
        if not _ORIGIN.fullmatch(origin.lower().removesuffix("/")):
            raise BadInput(f"{origin!r} is no origin; give the address of a page alone, such as https://page.example")
    return tuple(origin.lower().removesuffix("/") for origin in origins)


class Guard:
    """Lets requests pass that are addressed to one of ``hosts`` and come from no page, from a page of this very
    address, or from one of ``origins``, the only ones that get CORS headers.

    The port is free, so that a forwarded one works; an Origin must name the same as Host. Both are as
    ``checked_hosts`` and ``checked_origins`` give them.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], origins: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # WebSockets and whatever comes next.
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        allowed = self._cors(headers)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update({**_HEADERS, **allowed})
            await send(message)

        answer = self._own_answer(scope, headers)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _own_answer(self, scope: Scope, headers: Headers) -> Response | None:
        """What needs no look at the request itself; None where it may pass."""
        try:
            self._check(headers)
        except Refusal as refusal:
            return refusal_response(refusal)
        is_preflight = scope["method"] == "OPTIONS" and headers.get("origin") in self._origins
        return Response(status_code=204) if is_preflight else None

    def _check(self, headers: Headers) -> None:
        """Raises ``Refusal``."""
        hosts = headers.getlist("host")
        match = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
        if match is None or match[1] not in self._hosts:
            raise Refusal(
                f"this server answers to {', '.join(sorted(self._hosts))} only; it is started with --allow-host NAME "
                "to answer to another name",
                status=403,
            )
        origins = headers.getlist("origin")
        own = f"http://{hosts[0].lower()}"
        if origins and (len(origins) > 1 or (origins[0].lower() != own and origins[0] not in self._origins)):
            raise Refusal(
                "pages of other origins may not use this server; it is started with --allow-origin URL to let one",
                status=403,
            )

    def _cors(self, headers: Headers) -> dict[str, str]:
        origin = headers.get("origin")
        if origin not in self._origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "content-type, authorization",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Vary": "Origin",
        }
