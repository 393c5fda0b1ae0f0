"""Log-probabilities of given continuations, the one primitive behind every likelihood score.

B batch    T tokens    V vocabulary
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from smidgen.errors import Interrupted
from smidgen.model.decoder import Decoder

# Tokens of one forward pass: logits of 4,096 tokens x 4,096 entries are 64 MiB in float32.
BATCH_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """Score ``continuation`` after ``context``; the context must hold at least one token."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Sum of the continuation's log-probabilities in nats, and whether the context had to be cut on the left."""

    log_probability: float
    truncated: bool


@torch.inference_mode()
def log_likelihoods(
    decoder: Decoder,
    requests: Sequence[Request],
    *,
    max_length: int | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> list[Likelihood]:
    """Score every request in float32, in the order given.

    Batches are sorted by length and padded on the right, where causal attention cannot see. Sequences longer than
    ``max_length`` (the design's context by default) lose the left of their context and count as truncated. A
    continuation that is longer by itself is scored whole, one token of context before it: rotary positions allow it.

    Raises ``ValueError`` for an empty context or continuation, ``Interrupted`` when asked to stop.
    """
    window = max_length or decoder.config.context_length
    device = next(decoder.parameters()).device
    rows = [_fitted(request, window) for request in requests]
    results = [0.0] * len(rows)
    for indices in _batches([len(ids) for ids, _ in rows]):
        if stop_requested():
            raise Interrupted("scoring was stopped; repeat the command to score again")
        ids_BT = _padded([rows[index][0] for index in indices]).to(device)
        logprob_BT = _target_log_probabilities(decoder, ids_BT).cpu()
        for row_T, index in zip(logprob_BT, indices, strict=True):
            ids, count = rows[index]
            # Position t predicts token t + 1, so the last `count` predictions end at len(ids) - 1.
            results[index] = float(row_T[len(ids) - 1 - count : len(ids) - 1].double().sum())
    return [
        Likelihood(value, len(request.context) + len(request.continuation) > window + 1)
        for value, request in zip(results, requests, strict=True)
    ]


@torch.inference_mode()
def token_log_probabilities(decoder: Decoder, token_ids: Sequence[int]) -> list[float | None]:
    """Log-probability of each token given those before it, in nats; None for the first, which nothing predicts.

    A text longer than the context is scored in windows that follow each other, with one token of overlap.
    """
    window = decoder.config.context_length
    values: list[float | None] = [None] if token_ids else []
    for start in range(0, len(token_ids) - 1, window):
        ids_1T = torch.tensor([token_ids[start : start + window + 1]])
        values += _target_log_probabilities(decoder, ids_1T)[0].tolist()
    return values


def _target_log_probabilities(decoder: Decoder, ids_BT: Tensor) -> Tensor:
    """Log-probability of each next token given the tokens before it, one column fewer than ``ids_BT``."""
    logits_BTV = decoder(ids_BT[:, :-1]).float()
    picked_BT = logits_BTV.gather(2, ids_BT[:, 1:, None])[:, :, 0]
    return picked_BT - logits_BTV.logsumexp(dim=2)


def _fitted(request: Request, window: int) -> tuple[list[int], int]:
    """The ids to run and how many of them are scored; of ``window + 1`` ids ``window`` are read."""
    if not request.context or not request.continuation:
        raise ValueError("a request needs at least one token of context and one of continuation")
    count = len(request.continuation)
    return [*request.context, *request.continuation][-(max(window, count) + 1) :], count


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices grouped by similar length so that a batch, padding included, stays within ``BATCH_TOKENS``."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *([0] * (width - len(row)))] for row in rows], dtype=torch.long)
