"""Why a token was written: the odds the model gave it, and what the settings of the draw made of them.

The plain data are those of ``sampling.js`` in the web page, which shows them.

Shapes:
    B batch (one)    S tokens so far    N new tokens    V vocabulary
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from smidgen.generation import sampling
from smidgen.generation.decoding import SlidingWindow
from smidgen.model.decoder import Decoder
from smidgen.recipes.sampling import SamplingSettings

SHOWN = 10


@torch.inference_mode()
def explained_tokens(
    decoder: Decoder, prompt_ids: Sequence[int], settings: SamplingSettings, *, seed: int, stop_ids: Collection[int]
) -> Iterator[dict[str, Any]]:
    """The tokens of ``smidgen.generation.decoding.complete``, each with its reasons; at last {"reason": ...}."""
    window = SlidingWindow(decoder)
    generator = torch.Generator().manual_seed(seed)
    history_1S = new_ids_1N = torch.tensor([list(prompt_ids)])
    for _ in range(settings.max_new_tokens):
        logits_1V = window.read(new_ids_1N).float().cpu()
        drawn_1 = sampling.sample(logits_1V, history_1S, settings, generator)
        if int(drawn_1) in stop_ids:
            yield {"reason": "stop"}
            return
        yield reasons(logits_1V, history_1S, settings, int(drawn_1))
        new_ids_1N = drawn_1[:, None]
        history_1S = torch.cat((history_1S, new_ids_1N), dim=1)
    yield {"reason": "length"}


@torch.inference_mode()
def likelihoods(decoder: Decoder, ids: Sequence[int]) -> list[dict[str, Any] | None]:
    """What the model held likely before each token: None where nothing stands before it, or out of its sight."""
    first = max(0, len(ids) - decoder.config.context_length)
    seen = list(ids[first:])
    if not seen:
        return []
    logits_SV = decoder(torch.tensor([seen], device=decoder.embed_tokens.weight.device))[0].float().cpu()
    told = [_likelihood(logits_V, after) for logits_V, after in zip(logits_SV, seen[1:], strict=False)]
    return [*[None] * (first + 1), *told]


def reasons(logits_1V: Tensor, history_1S: Tensor, settings: SamplingSettings, token_id: int) -> dict[str, Any]:
    """Of one token that was drawn from these logits (1, V) after this history (1, S)."""
    scaled_V, drawn_V, removed = _stages(logits_1V, history_1S, settings)
    odds_V = logits_1V[0].softmax(dim=-1)
    name_of = {at: name for name, taken_V in removed.items() for at in taken_V.nonzero().flatten().tolist()}

    def entry(at: int) -> dict[str, Any]:
        return {
            "id": at,
            "probability": float(odds_V[at]),
            "scaled": float(scaled_V[at]),
            "drawn": float(drawn_V[at]),
            "removed": name_of.get(at, ""),
        }

    return {
        **entry(token_id),
        "rank": _rank(odds_V, token_id),
        "filters": [
            {"name": name, "count": int(taken_V.sum()), "share": float(odds_V[taken_V].sum())}
            for name, taken_V in removed.items()
            if taken_V.any()
        ],
        "top": list(map(entry, _top(odds_V, token_id))),
        "isGreedy": settings.is_greedy,
    }


def _stages(
    logits_1V: Tensor, history_1S: Tensor, settings: SamplingSettings
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """The odds under penalties and temperature, those of the draw, and what each filter took: (V,) each."""
    removed: dict[str, Tensor] = {}

    def filtered(name: str, change: Callable[[Tensor], Tensor], before_1V: Tensor) -> Tensor:
        after_1V = change(before_1V)
        removed[name] = ((after_1V == sampling.BANNED) & (before_1V != sampling.BANNED))[0]
        return after_1V

    size = settings.no_repeat_ngram_size
    if settings.repetition_penalty != 1:
        logits_1V = sampling.penalize_repetition(logits_1V, history_1S, settings.repetition_penalty)
    if size:
        logits_1V = filtered(
            "no_repeat_ngram_size", lambda x_1V: sampling.ban_repeated_ngrams(x_1V, history_1S, size), logits_1V
        )
    if settings.is_greedy:
        drawn_V = torch.zeros_like(logits_1V[0])
        drawn_V[logits_1V[0].argmax()] = 1
        return logits_1V[0].softmax(dim=-1), drawn_V, removed
    logits_1V = sampling.scale_by_temperature(logits_1V, settings.temperature)
    scaled_V = logits_1V[0].softmax(dim=-1)
    if settings.top_k:
        logits_1V = filtered("top_k", lambda x_1V: sampling.keep_top_k(x_1V, settings.top_k), logits_1V)
    if settings.top_p < 1:
        logits_1V = filtered("top_p", lambda x_1V: sampling.keep_top_p(x_1V, settings.top_p), logits_1V)
    if settings.min_p:
        logits_1V = filtered("min_p", lambda x_1V: sampling.keep_min_p(x_1V, settings.min_p), logits_1V)
    return scaled_V, logits_1V[0].softmax(dim=-1), removed


def _likelihood(logits_V: Tensor, token_id: int) -> dict[str, Any]:
    odds_V = logits_V.softmax(dim=-1)
    top = [{"id": at, "probability": float(odds_V[at])} for at in _top(odds_V, token_id)]
    return {
        "id": token_id,
        "probability": float(odds_V[token_id]),
        "rank": _rank(odds_V, token_id),
        "top": top,
    }


def _rank(odds_V: Tensor, token_id: int) -> int:
    """1 for the most probable; of equal ones the first comes first."""
    return 1 + int((odds_V > odds_V[token_id]).sum()) + int((odds_V[:token_id] == odds_V[token_id]).sum())


def _top(odds_V: Tensor, token_id: int) -> list[int]:
    """The most probable ones, and the token itself."""
    top: list[int] = odds_V.topk(min(SHOWN, len(odds_V))).indices.tolist()
    return top if token_id in top else [*top, token_id]
