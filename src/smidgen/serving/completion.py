"""The job behind ``/v1/completions``: pieces of text, a turn at a time."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch

from smidgen.checkpoints.open_model import OpenModel
from smidgen.generation.sampling import sample
from smidgen.serving.choice_text import ChoiceText, Piece, PlacedToken, joined
from smidgen.serving.completion_request import CompletionRequest
from smidgen.serving.read_prompt import ReadPrompt, prompt_ids, prompt_scores, read_prompt
from smidgen.serving.token_score import TokenScore, token_scores


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request can be answered; its prompts have so many tokens together."""

    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class _Echo:
    """What stands before the text of a choice: the prompt where it is echoed, else nothing."""

    text: str = ""
    tokens: tuple[PlacedToken, ...] = ()


def complete_request(request: CompletionRequest) -> Iterator[Accepted | Piece | None]:
    """``Accepted``, then the pieces of all choices: as they come for a stream, else one for each choice.

    The choices of a prompt are written one after the other, so that a request holds the keys and values of one text,
    however many it asks for. Raises ``Refusal`` before ``Accepted`` for a prompt that cannot be read.
    """
    encoded: list[list[int]] = []
    for prompt in request.prompts:
        encoded.append(prompt_ids(request, prompt))
        yield None
    yield Accepted(sum(map(len, encoded)))
    for number, ids in enumerate(encoded):
        pieces = _choices(request, ids, first=number * request.n)
        yield from pieces if request.stream else _whole(pieces)


def _whole(pieces: Iterator[Piece | None]) -> Iterator[Piece | None]:
    """One piece for each choice, when it is complete."""
    parts: list[Piece] = []
    for piece in pieces:
        parts += [] if piece is None else [piece]
        if piece is None or piece.finish_reason is None:
            yield None
        else:
            yield joined(parts)
            parts = []


def _choices(request: CompletionRequest, ids: Sequence[int], *, first: int) -> Iterator[Piece | None]:
    """The pieces of all choices after one prompt, numbered from ``first`` on."""
    read, echo = yield from _read(request, ids)
    for number in range(request.n):
        index = first + number
        if request.echo:
            yield Piece(index=index, text=echo.text, tokens=echo.tokens)
        if request.sampling.max_new_tokens == 0:
            yield Piece(index=index, text="", finish_reason="length")
        else:
            yield from _written(request, read, index, seed=request.seed + number, start=len(echo.text))


def _read(request: CompletionRequest, ids: Sequence[int]) -> Generator[None, None, tuple[ReadPrompt, _Echo]]:
    model = request.model
    read, x_TC = read_prompt(model, ids)
    if not request.echo:
        return read, _Echo()
    yield None
    text = model.tokenizer.decode(ids)
    if request.logprobs is None:
        return read, _Echo(text)
    scores: list[TokenScore] = []
    for some in prompt_scores(model, ids, x_TC, request.logprobs):
        scores += some
        yield None
    return read, _Echo(text, _placed(model, scores))


def _placed(model: OpenModel, scores: Sequence[TokenScore]) -> tuple[PlacedToken, ...]:
    decoder, offset, placed = model.streaming_decoder(), 0, []
    for score in scores:
        placed.append(PlacedToken(score, offset))
        offset += len(decoder.push(score.token_id))
    return tuple(placed)


@torch.inference_mode()
def _written(
    request: CompletionRequest, prompt: ReadPrompt, index: int, *, seed: int, start: int
) -> Iterator[Piece | None]:
    """One choice: the text of ``smidgen.generation.decoding.complete``, as far as the request asks for the same."""
    model, settings = request.model, request.sampling
    stop_ids = {model.tokenizer.special_ids.get(name) for name in ("eos", "end_of_text")}
    text = ChoiceText(model, index, request.stop, start=start)
    # On the CPU, so that a seed means the same on every device.
    generator = torch.Generator().manual_seed(seed)
    window = prompt.window if request.n == 1 else prompt.window_copy()
    logits_1V, history_1S = prompt.logits, torch.tensor([prompt.ids])
    written: list[int] = []
    while True:
        drawn_1 = sample(request.penalties.apply(logits_1V, written), history_1S, settings, generator)
        token_id = int(drawn_1)
        written.append(token_id)
        score = None if request.logprobs is None else token_scores(logits_1V, [token_id], request.logprobs)[0]
        # A token that ends the text brings none, but has its place among the others: lm-evaluation-harness asks for
        # one token behind a text and leaves the last score out, whatever that token is.
        yield text.push(token_id, score)
        if text.is_stopped or token_id in stop_ids or len(written) == settings.max_new_tokens:
            yield text.finish("stop" if token_id in stop_ids else "length")
            return
        new_ids_11 = drawn_1[:, None]
        logits_1V = window.read(new_ids_11).float().cpu()
        history_1S = torch.cat((history_1S, new_ids_11), dim=1)
