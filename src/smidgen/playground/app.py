"""The playground as an ASGI application: the page, what its models are, and what they answer."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from smidgen.checkpoints.open_model import OpenModel
from smidgen.export.web.description import model_description
from smidgen.export.web.folder import INDEX, MODELS, PAGE
from smidgen.playground.attention import attention_weights
from smidgen.playground.questions import Question, known_ids, question
from smidgen.playground.reasons import explained_tokens, likelihoods
from smidgen.serving.app import completion_app
from smidgen.serving.fields import Fields
from smidgen.serving.guard import LOOPBACK
from smidgen.serving.json_answer import EventStream, WhileConnected, json_response
from smidgen.serving.json_body import json_body
from smidgen.serving.limits import Limits
from smidgen.serving.refusal import Refusal
from smidgen.serving.turns import Turns

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def playground_app(models: Sequence[OpenModel], *, hosts: Sequence[str] = LOOPBACK) -> Starlette:
    """The page over these models, and the completion API beside it. Raises ``BadInput`` for no model at all."""
    limits = Limits()
    answers = Answers(limits)
    routes = [
        Route("/", answers.page),
        Route(f"/{INDEX}", answers.page),
        Route("/page/{name}", answers.part),
        Route(f"/{MODELS}", answers.models),
        Route("/playground/{number:int}/model.json", answers.model),
        Route("/playground/{number:int}/complete", answers.complete, methods=["POST"]),
        Route("/playground/{number:int}/inspect", answers.inspect, methods=["POST"]),
        Route("/playground/{number:int}/attend", answers.attend, methods=["POST"]),
    ]
    return completion_app(models, hosts=hosts, limits=limits, routes=routes)


class Answers:
    """The routes of the page. All that takes time is done in turns."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parts = {path.name: path for path in PAGE.iterdir() if path.suffix in KINDS}

    async def page(self, request: Request) -> Response:
        return self._file(INDEX)

    async def part(self, request: Request) -> Response:
        return self._file(request.path_params["name"])

    async def models(self, request: Request) -> Response:
        addresses = [f"playground/{number}/model.json" for number in range(len(request.app.state.models))]
        return json_response({"place": "server", "models": [{"address": address} for address in addresses]})

    async def model(self, request: Request) -> Response:
        model = _model(request)
        return WhileConnected(_computed(request, lambda: model_description(model, None)))

    async def complete(self, request: Request) -> Response:
        model, values = _model(request), await json_body(request, self._limits)
        events = _events(lambda: question(model, values, self._limits))
        return WhileConnected(_written(request.app.state.turns, events))

    async def inspect(self, request: Request) -> Response:
        model, ids = _model(request), await self._ids(request)
        return WhileConnected(_computed(request, lambda: {"tokens": likelihoods(model.decoder, ids)}))

    async def attend(self, request: Request) -> Response:
        model, ids = _model(request), await self._ids(request)
        if not ids:
            raise Refusal("there is no token whose reading could be shown", param="ids")
        return WhileConnected(_computed(request, lambda: _attention(model, ids)))

    async def _ids(self, request: Request) -> list[int]:
        asked = Fields(await json_body(request, self._limits))
        ids = known_ids(_model(request), asked.any("ids"))
        asked.refuse_others()
        return ids

    def _file(self, name: str) -> Response:
        if name not in self._parts:
            raise Refusal("there is no such part of the page", status=404)
        path = self._parts[name]
        return Response(path.read_bytes(), media_type=KINDS[path.suffix])


def _model(request: Request) -> OpenModel:
    models = list(request.app.state.models.values())
    number = request.path_params["number"]
    if number >= len(models):
        raise Refusal(f"there are {len(models)} models here, counted from 0", status=404)
    model: OpenModel = models[number]
    return model


async def _computed(request: Request, function: Callable[[], dict[str, Any]]) -> Response:
    return json_response(await request.app.state.turns.only(_once(function)))


def _once(function: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield function()


def _attention(model: OpenModel, ids: list[int]) -> dict[str, Any]:
    first, weights_LHS = attention_weights(model.decoder, ids)
    return {"first": first, "weights": weights_LHS.tolist()}


def _events(read: Callable[[], Question]) -> Iterator[dict[str, Any]]:
    """What the page hears while a text is written; reading the question takes a turn too."""
    asked = read()
    yield {"kind": "begin", "ids": asked.given, "unseen": asked.unseen}
    stop_ids = {asked.model.tokenizer.end_of_text_id}
    decoder, ids = asked.model.decoder, asked.prompt_ids
    for token in explained_tokens(decoder, ids, asked.settings, seed=asked.seed, stop_ids=stop_ids):
        yield {"kind": "end", **token} if "reason" in token else {"kind": "token", "token": token}


async def _written(turns: Turns, events: Iterator[dict[str, Any]]) -> Response:
    results = turns.results(events)
    try:
        # The first, so that what cannot be read is refused with a status.
        first = await anext(results)
    except BaseException:
        await results.aclose()
        raise
    return EventStream(_streamed(first, results))


async def _streamed(
    first: dict[str, Any], others: AsyncGenerator[dict[str, Any], None]
) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(others):
        yield first
        async for event in others:
            yield event
