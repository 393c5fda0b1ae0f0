"""The server as an ASGI application, for ``smidgen serve``, for pages beside it and for tests."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import BadInput
from smidgen.serving.endpoints import Endpoints
from smidgen.serving.guard import LOOPBACK, Guard, checked_hosts, checked_origins
from smidgen.serving.json_answer import as_refusal, refusal_response
from smidgen.serving.limits import Limits
from smidgen.serving.refusal import Refusal
from smidgen.serving.turns import Turns


def completion_app(
    models: Sequence[OpenModel],
    *,
    hosts: Sequence[str] = LOOPBACK,
    origins: Sequence[str] = (),
    limits: Limits | None = None,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """An application that serves these models, each under its name; the first answers where none is named.

    ``hosts`` are the names that it answers to, ``origins`` those of pages elsewhere that may ask. ``routes`` are
    answered besides; their endpoints find the models (``request.app.state.models``, by name) and the thread that
    computes for all (``request.app.state.turns``), and may raise ``Refusal`` and ``BadInput``.

    Raises ``BadInput`` for no model at all, and for what is no name or no origin.
    """
    limits = limits or Limits()
    turns = Turns(
        active=limits.active,
        waiting=limits.waiting,
        seconds=limits.seconds,
        telling_seconds=limits.telling_seconds,
    )
    by_name = _by_name(models)

    @asynccontextmanager
    async def at_work(app: Starlette) -> AsyncIterator[None]:
        turns.start()
        yield
        turns.stop()

    handlers: dict[Any, Any] = {
        Refusal: _refused,
        BadInput: _refused,
        HTTPException: _not_found,
        ClientDisconnect: _left,
        Exception: _failed,
    }
    app = Starlette(
        routes=[*Endpoints(by_name, turns, limits, int(time.time())).routes(), *routes],
        middleware=[Middleware(Guard, hosts=checked_hosts(hosts), origins=checked_origins(origins))],
        exception_handlers=handlers,
        lifespan=at_work,
    )
    app.state.models = by_name
    app.state.turns = turns
    return app


def _by_name(models: Sequence[OpenModel]) -> dict[str, OpenModel]:
    """Models by name; one whose name is taken gets a number behind it."""
    by_name: dict[str, OpenModel] = {}
    for model in models:
        name, number = model.name, 2
        while name in by_name:
            name, number = f"{model.name}-{number}", number + 1
        by_name[name] = replace(model, name=name)
    if not by_name:
        raise BadInput("there is no model to serve; give at least one")
    return by_name


async def _refused(request: Request, error: Exception) -> Response:
    return refusal_response(as_refusal(error))


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"there is no {request.method} {request.url.path[:60]} here"
    return refusal_response(Refusal(message, status=error.status_code, headers=error.headers))


async def _left(request: Request, error: Exception) -> Response:
    # Nobody reads it.
    return Response(status_code=400)


async def _failed(request: Request, error: Exception) -> Response:
    return refusal_response(Refusal("the server failed; its log says where", status=500))
