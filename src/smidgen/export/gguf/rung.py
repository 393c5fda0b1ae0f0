"""What one file of the ladder is worth: its numbers in our own decoder, held against the model in float32.

Shapes:
    N positions    T tokens    V vocabulary
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from smidgen.checkpoints.open_model import OpenModel
from smidgen.evaluation.intervals import ratio_interval, wilson_interval
from smidgen.evaluation.score import Score, perplexity
from smidgen.evaluation.spelling_task import NEW_TOKENS, PROMPT_TOKENS, RealText, Written, share_of_real_words
from smidgen.export.parity import distances
from smidgen.generation.drawing import Drawn, draw_texts
from smidgen.generation.repetition import loop_start
from smidgen.model.decoder import Decoder
from smidgen.recipes.sampling import SamplingSettings


@dataclass(frozen=True, kw_only=True)
class Matter:
    """What every file is measured on: windows of held-out ids, the end of a text in front, and passages whose first
    tokens are continued. ``lexicon`` are the words of training text. ``sampling`` is the recommended one.
    """

    windows: Sequence[Tensor]
    passages: Sequence[Sequence[int]]
    lexicon: frozenset[str]
    sampling: SamplingSettings
    seed: int


def matter_of(
    model: OpenModel, real: RealText, passages: Sequence[Sequence[int]], *, tokens: int, seed: int
) -> Matter:
    """Windows of the model's context from all sources in turn, about ``tokens`` in all."""
    end, length = model.tokenizer.end_of_text_id, model.config.context_length
    draw = np.random.default_rng(seed)
    windows: list[list[int]] = []
    for documents in real.held_out.values():
        cut = [window for ids in documents for window in _cut([end, *ids], length)]
        taken = 0
        for index in draw.permutation(len(cut)):
            if taken * len(real.held_out) >= tokens:
                break
            windows.append(cut[index])
            taken += len(cut[index]) - 1
    sampling = replace(model.sampling, temperature=1.0) if model.sampling.is_greedy else model.sampling
    return Matter(
        windows=[torch.tensor(row) for row in windows],
        passages=passages,
        lexicon=real.lexicon,
        sampling=sampling,
        seed=seed,
    )


def _cut(row: Sequence[int], length: int) -> list[list[int]]:
    """Windows in which every token but the first is predicted, each once."""
    return [list(row[start : start + length + 1]) for start in range(0, len(row) - 1, length)]


def measured(
    model: OpenModel, reference: Decoder, matter: Matter, *, stop_requested: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """``kl`` and ``top1`` against ``reference``, ``perplexity`` and what the model writes, each with an interval over
    windows or texts. Raises ``Interrupted`` when asked to stop.
    """
    likelihoods = _likelihoods(model.decoder, reference, matter.windows)
    return {**likelihoods, **_writing(model, matter, stop_requested)}


def _likelihoods(decoder: Decoder, reference: Decoder, windows: Sequence[Tensor]) -> dict[str, Any]:
    rows = [_of_window(decoder, reference, ids_T) for ids_T in windows]
    tokens = [len(ids_T) - 1 for ids_T in windows]
    kl, same, nats, excess = ([row[place] for row in rows] for place in range(4))
    # Paired: the text is the same, and so much of the spread of perplexity itself cancels.
    change = _ratio(excess, tokens)
    return {
        "kl": _ratio(kl, tokens),
        "top1": _ratio(same, tokens),
        "perplexity": perplexity(nats, tokens).as_dict(),
        "perplexity_change": {**change, **{key: math.expm1(change[key]) for key in ("value", "low", "high")}},
    }


@torch.inference_mode()
def _of_window(decoder: Decoder, reference: Decoder, ids_T: Tensor) -> tuple[float, ...]:
    """Sums over the window's positions: divergence, equal top tokens, surprise of the text and what of it is more
    than the reference's.
    """
    read_1T = ids_T[None, :-1]
    theirs_NV = decoder(read_1T)[0].float().cpu()
    ours_NV = reference(read_1T)[0].float().cpu()
    theirs, ours = (_surprise(logits_NV, ids_T[1:]) for logits_NV in (theirs_NV, ours_NV))
    _, kl, same = distances(ours_NV.double(), theirs_NV.double()).sum(dim=0).tolist()
    return max(kl, 0.0), same, theirs, theirs - ours


def _surprise(logits_NV: Tensor, targets_N: Tensor) -> float:
    return float(F.cross_entropy(logits_NV.double(), targets_N, reduction="sum"))


def _writing(model: OpenModel, matter: Matter, stop_requested: Callable[[], bool]) -> dict[str, Any]:
    """The share of real words in sampled text, and the share of texts that run into a loop, sampled and greedy."""
    end = model.tokenizer.end_of_text_id
    prompts = [[end, *ids[:PROMPT_TOKENS]] for ids in matter.passages]
    sampling = replace(matter.sampling, max_new_tokens=NEW_TOKENS)
    greedy = SamplingSettings(temperature=0, max_new_tokens=NEW_TOKENS)
    sampled, best = (
        draw_texts(model.decoder, prompts, one, stop_ids={end}, seed=matter.seed, stop_requested=stop_requested)
        for one in (sampling, greedy)
    )
    items = [_words(model, prompt[1:], text, matter.lexicon) for prompt, text in zip(prompts, sampled, strict=True)]
    real_words = share_of_real_words(items)
    return {
        "real_words": real_words.as_dict() if real_words else None,
        "loops": {"sampled": _loops(sampled), "greedy": _loops(best)},
        "sample": model.tokenizer.decode([*prompts[0][1:], *sampled[0].token_ids]),
    }


def _words(model: OpenModel, prompt: Sequence[int], drawn: Drawn, lexicon: frozenset[str]) -> dict[str, Any]:
    begun = model.tokenizer.decode(prompt)
    text = model.tokenizer.decode([*prompt, *drawn.token_ids])
    words = Written(text, len(begun), is_cut=drawn.finish_reason == "length").words()
    return {"written": len(words), "right": sum(word in lexicon for word in words)}


def _loops(texts: Sequence[Drawn]) -> dict[str, Any]:
    looping = sum(loop_start(text.token_ids) is not None for text in texts)
    low, high = wilson_interval(looping, len(texts))
    return Score(value=looping / len(texts), low=low, high=high, n=len(texts)).as_dict()


def _ratio(sums: Sequence[float], tokens: Sequence[int]) -> dict[str, Any]:
    low, high = ratio_interval(sums, tokens)
    return Score(value=sum(sums) / sum(tokens), low=low, high=high, n=sum(tokens)).as_dict()
