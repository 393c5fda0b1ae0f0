"""What the server answers to: completions, the list of models, tokens of a text and back, health."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from itertools import groupby
from operator import attrgetter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from smidgen.checkpoints.open_model import OpenModel
from smidgen.serving.choice_text import Piece, joined
from smidgen.serving.completion import complete_request
from smidgen.serving.completion_answer import CompletionAnswer
from smidgen.serving.completion_request import CompletionRequest, chosen_model, completion_request
from smidgen.serving.fields import Fields, is_whole, wrong
from smidgen.serving.json_answer import EventStream, WhileConnected, json_response
from smidgen.serving.json_body import json_body
from smidgen.serving.limits import Limits
from smidgen.serving.read_prompt import require_known_ids
from smidgen.serving.refusal import Refusal
from smidgen.serving.turns import Turns


class Endpoints:
    """The routes for these models. All that takes time is done in turns."""

    def __init__(self, models: dict[str, OpenModel], turns: Turns, limits: Limits, started: int) -> None:
        self._models = models
        self._turns = turns
        self._limits = limits
        self._started = started

    def routes(self) -> list[Route]:
        return [
            Route("/health", self.health),
            Route("/v1/models", self.models),
            Route("/v1/models/{name:path}", self.model),
            Route("/v1/completions", self.completions, methods=["POST"]),
            Route("/tokenize", self.tokenize, methods=["POST"]),
            Route("/detokenize", self.detokenize, methods=["POST"]),
            Route("/tokenizer_info", self.tokenizer_info),
        ]

    async def health(self, request: Request) -> Response:
        return json_response({"status": "ok", "active": self._turns.active, "waiting": self._turns.waiting})

    async def models(self, request: Request) -> Response:
        return json_response({"object": "list", "data": [self._entry(name) for name in self._models]})

    async def model(self, request: Request) -> Response:
        model = chosen_model(Fields({"model": request.path_params["name"]}), self._models)
        return json_response(self._entry(model.name))

    async def completions(self, request: Request) -> Response:
        asked = completion_request(await json_body(request, self._limits), self._models, self._limits)
        return WhileConnected(self._completed(asked))

    async def tokenize(self, request: Request) -> Response:
        """As vLLM answers it, which is what ``tokenizer_backend=remote`` of lm-evaluation-harness asks."""
        given = Fields(await json_body(request, self._limits))
        model, text = chosen_model(given, self._models), given.text("prompt")
        # Ours never begin with a control token, asked or not.
        given.flag("add_special_tokens")
        given.refuse_others()
        if text is None:
            raise Refusal("the prompt is missing; give a string", param="prompt")
        return WhileConnected(self._computed(lambda: _tokens(model, text)))

    async def detokenize(self, request: Request) -> Response:
        given = Fields(await json_body(request, self._limits))
        model, ids = chosen_model(given, self._models), given.any("tokens")
        given.refuse_others()
        if not isinstance(ids, list) or not all(map(is_whole, ids)):
            raise wrong("tokens", ids, "a list of token ids")
        require_known_ids(ids, model.tokenizer.vocab_size, "tokens")
        return WhileConnected(self._computed(lambda: {"prompt": model.tokenizer.decode(ids)}))

    async def tokenizer_info(self, request: Request) -> Response:
        tokenizer = next(iter(self._models.values())).tokenizer
        names = {name: tokenizer.decode([at], skip_special=False) for name, at in tokenizer.special_ids.items()}
        eos = names.get("eos", names["end_of_text"])
        return json_response({"eos_token": eos, "bos_token": names.get("bos"), "pad_token": names.get("pad")})

    def _entry(self, name: str) -> dict[str, Any]:
        model = self._models[name]
        return {
            "id": name,
            "object": "model",
            "created": self._started,
            "owned_by": "smidgen",
            "max_model_len": model.config.context_length,
            "vocab_size": model.config.vocab_size,
            "weights_sha256": model.weights_sha256,
        }

    async def _completed(self, asked: CompletionRequest) -> Response:
        batches = self._turns.batches(complete_request(asked))
        try:
            accepted, *pieces = await anext(batches)
            answer = CompletionAnswer(asked, accepted.prompt_tokens)
            if not asked.stream:
                return json_response(answer.whole(pieces + [piece async for batch in batches for piece in batch]))
        except BaseException:
            await batches.aclose()
            raise
        return EventStream(_chunks(asked, answer, pieces, batches))

    async def _computed(self, function: Callable[[], dict[str, Any]]) -> Response:
        return json_response(await self._turns.only(_once(function)))


async def _chunks(
    asked: CompletionRequest, answer: CompletionAnswer, first: list[Piece], batches: AsyncGenerator[list[Piece], None]
) -> AsyncGenerator[dict[str, Any], None]:
    """Pieces of one choice that come together make one chunk."""
    async with aclosing(batches):
        for chunk in _joined(answer, first):
            yield chunk
        async for batch in batches:
            for chunk in _joined(answer, batch):
                yield chunk
    if asked.include_usage:
        yield answer.last_chunk()


def _joined(answer: CompletionAnswer, pieces: list[Piece]) -> Iterator[dict[str, Any]]:
    for _, of_one in groupby(pieces, key=attrgetter("index")):
        yield answer.chunk(joined(list(of_one)))


def _once(function: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield function()


def _tokens(model: OpenModel, text: str) -> dict[str, Any]:
    tokenizer = model.tokenizer
    # lm-evaluation-harness asks for the id of a control token by its name. In any other text such a name is text.
    control = {tokenizer.decode([at], skip_special=False): at for at in tokenizer.special_ids.values()}
    ids = [control[text]] if text in control else tokenizer.encode(text)
    return {"tokens": ids, "count": len(ids), "max_model_len": model.config.context_length}
