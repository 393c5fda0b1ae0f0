"""Whole texts cut into windows, so that every token is predicted exactly once."""

import math
from collections.abc import Callable, Sequence

from smidgen.evaluation.log_likelihood import log_likelihoods
from smidgen.evaluation.request import Request
from smidgen.model.decoder import Decoder


def windows(token_ids: Sequence[int], *, prefix: int, max_length: int) -> list[Request]:
    """The rolling windows of lm-evaluation-harness 0.4.13, with one token of overlap.

    The first starts after ``prefix``; each later one sees one token before it, and the last, which is short, as much
    as the window holds.
    """
    ids = [prefix, *token_ids]
    requests = []
    for start in range(0, len(token_ids), max_length):
        end = min(start + max_length, len(token_ids))
        seen = end - max_length if start else 0
        requests.append(Request(tuple(ids[seen : start + 1]), tuple(ids[start + 1 : end + 1])))
    return requests


def rolling_nats(
    decoder: Decoder,
    texts: Sequence[Sequence[int]],
    *,
    prefix: int,
    max_length: int | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda scored: None,
) -> list[float]:
    """Surprise of each text in nats, computed in float32; ``max_length`` is the design's context by default.

    Raises ``Interrupted`` when asked to stop.
    """
    window = max_length or decoder.config.context_length
    cut = [windows(ids, prefix=prefix, max_length=window) for ids in texts]
    likelihoods = iter(
        log_likelihoods(
            decoder,
            [request for requests in cut for request in requests],
            max_length=window,
            stop_requested=stop_requested,
            on_progress=on_progress,
        )
    )
    return [-math.fsum(next(likelihoods).log_probability for _ in requests) for requests in cut]
