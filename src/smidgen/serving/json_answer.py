"""JSON on its way out: to a client that may leave, whole or as a stream of events."""

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from smidgen.errors import BadInput, CheckFailed
from smidgen.serving.refusal import Refusal

DONE = b"data: [DONE]\n\n"


def encoded(value: dict[str, Any]) -> bytes:
    # A message may quote half of a surrogate pair, which UTF-8 cannot hold.
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def json_response(value: dict[str, Any]) -> Response:
    return Response(encoded(value), media_type="application/json")


def refusal_response(refusal: Refusal) -> Response:
    return Response(
        encoded(refusal.as_json()), refusal.status, headers=refusal.headers, media_type="application/json"
    )


def as_refusal(error: Exception) -> Refusal:
    """What a client is told about an error of ours. Raises what is no message to anybody."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, BadInput):
        return Refusal(str(error))
    if isinstance(error, CheckFailed):
        return Refusal(str(error), status=500)
    raise error


class WhileConnected(Response):
    """A response that is worked out while the client waits, and dropped when it leaves."""

    def __init__(self, work: Coroutine[Any, Any, Response]) -> None:
        super().__init__()
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = asyncio.ensure_future(self._answer(scope, receive, send))
        left = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({answer, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answer, left):
                task.cancel()
            outcomes = await asyncio.gather(answer, left, return_exceptions=True)
            # Cancelled before it began, it would be said to be forgotten.
            self._work.close()
        if isinstance(outcomes[0], Exception):
            raise outcomes[0]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._work
        except Exception as error:
            response = refusal_response(as_refusal(error))
        await response(scope, receive, send)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """Server-sent events, one JSON object each, and ``[DONE]``. An error on the way becomes the last event."""

    def __init__(self, events: AsyncGenerator[dict[str, Any], None]) -> None:
        super().__init__(media_type="text/event-stream")
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            # Closed at once when the client leaves, and with it the job behind it.
            async with aclosing(self._events) as events:
                async for event in events:
                    await send(_body(b"data: " + encoded(event) + b"\n\n"))
        except Exception as error:
            await send(_body(b"data: " + encoded(as_refusal(error).as_json()) + b"\n\n"))
        await send(_body(DONE))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _body(content: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": True}
