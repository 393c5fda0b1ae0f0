"""The body of a request: one JSON object of bounded size."""

import asyncio
import json
from typing import Any

from starlette.requests import Request

from smidgen.serving.limits import Limits
from smidgen.serving.refusal import Refusal

# So much of a body that is too large is read and forgotten, so that its sender gets to hear why.
_DRAINED = 8 * 1024 * 1024


async def json_body(request: Request, limits: Limits) -> dict[str, Any]:
    """Raises ``Refusal`` for anything but a JSON object within the limits, and starlette's ``ClientDisconnect`` for
    half of one.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # Forms and plain text are what a page of another origin could send without asking the browser's leave.
        raise Refusal("the body must be JSON: send it with Content-Type: application/json", status=415)
    try:
        async with asyncio.timeout(limits.body_seconds):
            content = await _content(request, limits.body_bytes)
    except TimeoutError as error:
        raise Refusal(f"the body did not arrive within {limits.body_seconds:g} s", status=408) from error
    return parse_object(content)


async def _content(request: Request, most: int) -> bytes:
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > _DRAINED:
            break
        if length <= most:
            parts.append(part)
    if length > most:
        raise Refusal(f"the body is larger than {most // 1024} KiB; send less at once", status=413)
    return b"".join(parts)


def parse_object(content: bytes) -> dict[str, Any]:
    """The JSON object that these bytes are. Raises ``Refusal``."""
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise Refusal("the body is not UTF-8") from error
    except RecursionError as error:
        raise Refusal("the body is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise Refusal(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except ValueError as error:
        # Python reads no whole number of more than 4,300 digits.
        raise Refusal("the body holds a number that is too long") from error
    if not isinstance(value, dict):
        raise Refusal("the body must be one JSON object")
    return value


def _refuse_constant(name: str) -> None:
    raise Refusal(f"the body holds {name}, which is no JSON")
