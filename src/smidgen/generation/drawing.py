"""Texts drawn side by side, with what the model itself thought of every token.

Shapes:
    B batch    N new tokens    T tokens so far    V vocabulary
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from smidgen.errors import Interrupted
from smidgen.generation.decoding import SlidingWindow, equal_length_groups
from smidgen.generation.sampling import sample
from smidgen.generation.threads import single_thread
from smidgen.model.decoder import Decoder
from smidgen.recipes.sampling import SamplingSettings

MOST_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was written after a prompt.

    ``token_ids`` are without the stop token. ``nats`` is the surprise of each under the model itself, before any
    sampling setting, and ``entropies`` the entropy of the distribution that each came from, likewise in nats.
    """

    token_ids: list[int]
    finish_reason: str
    nats: list[float]
    entropies: list[float]


def draw_texts(
    decoder: Decoder,
    prompts: Sequence[Sequence[int]],
    settings: SamplingSettings,
    *,
    stop_ids: Collection[int],
    seed: int,
    most_at_once: int = MOST_AT_ONCE,
    stop_requested: Callable[[], bool] = lambda: False,
) -> list[Drawn]:
    """Continue every prompt, in the order given; those of equal length go through the model together.

    The same prompts in the same order and the same seed give the same texts. Raises ``Interrupted`` when asked to
    stop: what was half written then is no measurement.
    """
    found: dict[int, Drawn] = {}
    with single_thread():
        for indices in equal_length_groups(prompts, most_at_once):
            prompts_BT = torch.tensor([list(prompts[index]) for index in indices])
            generator = torch.Generator().manual_seed(seed + indices[0])
            rows = _drawn_rows(decoder, prompts_BT, settings, stop_ids, generator, stop_requested)
            found.update(zip(indices, rows, strict=True))
    return [found[index] for index in range(len(prompts))]


@torch.inference_mode()
def judged_texts(decoder: Decoder, prompts: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]) -> list[Drawn]:
    """The same about texts that somebody else wrote after the prompts; ``finish_reason`` is "given"."""
    found: dict[int, Drawn] = {}
    whole = [[*prompt, *text] for prompt, text in zip(prompts, texts, strict=True)]
    with single_thread():
        for indices in equal_length_groups(whole, MOST_AT_ONCE):
            ids_BT = torch.tensor([whole[index] for index in indices])
            logits_BTV = decoder(ids_BT[:, :-1].to(decoder.embed_tokens.weight.device)).float().cpu()
            nats_BT, entropies_BT = _thoughts(logits_BTV, ids_BT[:, 1:])
            for index, nats, entropies in zip(indices, nats_BT.tolist(), entropies_BT.tolist(), strict=True):
                first = len(prompts[index]) - 1
                found[index] = Drawn(list(texts[index]), "given", nats[first:], entropies[first:])
    return [found[index] for index in range(len(prompts))]


@torch.inference_mode()
def _drawn_rows(
    decoder: Decoder,
    prompts_BT: Tensor,
    settings: SamplingSettings,
    stop_ids: Collection[int],
    generator: torch.Generator,
    stop_requested: Callable[[], bool],
) -> list[Drawn]:
    window, stops = SlidingWindow(decoder), torch.tensor(sorted(stop_ids), dtype=torch.long)
    history_BT = new_ids_BN = prompts_BT
    lengths_B = torch.full((len(prompts_BT),), settings.max_new_tokens)
    columns: list[tuple[Tensor, Tensor, Tensor]] = []
    while len(columns) < settings.max_new_tokens and (lengths_B > len(columns)).any():
        if stop_requested():
            raise Interrupted("writing was stopped; what was finished before is kept")
        logits_BV = window.read(new_ids_BN).float().cpu()
        drawn_B = sample(logits_BV, history_BT, settings, generator)
        columns.append((drawn_B, *_thoughts(logits_BV, drawn_B)))
        has_ended_B = torch.isin(drawn_B, stops) & (lengths_B == settings.max_new_tokens)
        lengths_B = lengths_B.masked_fill(has_ended_B, len(columns) - 1)
        new_ids_BN = drawn_B[:, None]
        history_BT = torch.cat((history_BT, new_ids_BN), dim=1)
    return _rows(columns, lengths_B.tolist(), settings.max_new_tokens)


def _thoughts(logits_V: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Surprise of the chosen ids and entropy of the distribution, in nats: (..., V), (...) -> (...), (...)."""
    logprobs_V = logits_V.log_softmax(dim=-1)
    entropies = torch.special.entr(logprobs_V.exp()).sum(dim=-1)
    return -logprobs_V.gather(-1, chosen[..., None]).squeeze(-1), entropies


def _rows(columns: list[tuple[Tensor, Tensor, Tensor]], lengths: list[int], longest: int) -> list[Drawn]:
    if not columns:
        return [Drawn([], "length", [], []) for _ in lengths]
    ids_BN, nats_BN, entropies_BN = (torch.stack(column, dim=1).tolist() for column in zip(*columns, strict=True))
    return [
        Drawn(ids[:length], "length" if length == longest else "stop", nats[:length], entropies[:length])
        for length, ids, nats, entropies in zip(lengths, ids_BN, nats_BN, entropies_BN, strict=True)
    ]
