"""Answers of ``/v1/completions`` as JSON, in the shape of OpenAI's."""

import secrets
import time
from collections.abc import Sequence
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.serving.choice_text import Piece, PlacedToken
from smidgen.serving.completion_request import CompletionRequest
from smidgen.tokenization.tokenizer import Tokenizer


class CompletionAnswer:
    """The frame around the choices of one request. ``seed`` in it repeats the answer."""

    def __init__(self, request: CompletionRequest, prompt_tokens: int) -> None:
        self._request = request
        self._prompt_tokens = prompt_tokens
        self._drawn = 0
        self._frame = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": request.model.name,
            "system_fingerprint": request.model.weights_sha256[:16],
            "seed": request.seed,
        }

    def whole(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        """All choices, complete."""
        return {**self._frame, "choices": [self._choice(piece) for piece in pieces], "usage": self._usage()}

    def chunk(self, piece: Piece) -> dict[str, Any]:
        """Some more of one choice."""
        return {**self._frame, "choices": [self._choice(piece)]}

    def last_chunk(self) -> dict[str, Any]:
        """What ``stream_options.include_usage`` asks for behind all choices."""
        return {**self._frame, "choices": [], "usage": self._usage()}

    def _choice(self, piece: Piece) -> dict[str, Any]:
        self._drawn += piece.drawn
        wanted = self._request.logprobs is not None
        return {
            "index": piece.index,
            "text": piece.text,
            "logprobs": logprobs(self._request.model, piece.tokens) if wanted else None,
            "finish_reason": piece.finish_reason,
        }

    def _usage(self) -> dict[str, int]:
        return {
            "prompt_tokens": self._prompt_tokens,
            "completion_tokens": self._drawn,
            "total_tokens": self._prompt_tokens + self._drawn,
        }


def logprobs(model: OpenModel, tokens: Sequence[PlacedToken]) -> dict[str, Any]:
    """The lists that OpenAI's completions have, and ``token_ids``.

    A token's own log-probability is among its ``top_logprobs``. Of two tokens with one name the likelier keeps it.
    """
    names = _Names(model)
    return {
        "tokens": [names[token.score.token_id] for token in tokens],
        "token_ids": [token.score.token_id for token in tokens],
        "token_logprobs": [token.score.log_probability for token in tokens],
        "top_logprobs": [_top(names, token) for token in tokens],
        "text_offset": [token.offset for token in tokens],
    }


def _top(names: "_Names", token: PlacedToken) -> dict[str, float] | None:
    if token.score.log_probability is None:
        return None
    named: dict[str, float] = {}
    for token_id, log_probability in (*token.score.top, (token.score.token_id, token.score.log_probability)):
        named.setdefault(names[token_id], log_probability)
    return named


class _Names(dict[int, str]):
    """What tokens are called: their text, or ``bytes:\\xe2\\x80`` for parts of a character, as OpenAI calls them."""

    def __init__(self, model: OpenModel) -> None:
        super().__init__()
        self._model = model

    def __missing__(self, token_id: int) -> str:
        name = self[token_id] = token_name(self._model.tokenizer, token_id)
        return name


def token_name(tokenizer: Tokenizer, token_id: int) -> str:
    """A token's text before text rules are undone."""
    if not isinstance(tokenizer, Tokenizer):
        # One of transformers, which does not say what its tokens hold.
        return tokenizer.pieces([token_id])[0]
    content = tokenizer.content(token_id)[0]
    try:
        return content.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in content)
