"""Log-probabilities of given continuations, the one primitive behind every likelihood score.

T tokens    V vocabulary
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from smidgen.errors import Interrupted
from smidgen.evaluation.request import Request
from smidgen.evaluation.scoring.forest import Forest, Query, chunks, plant, sorted_order
from smidgen.evaluation.scoring.precision import EXACT, Precision
from smidgen.evaluation.scoring.scorer import Scoring, scorer_for
from smidgen.model.decoder import Decoder
from smidgen.native.location import default_cache


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Sum of the continuation's log-probabilities in nats; whether each of its tokens was the most probable one; and
    whether the context had to be cut on the left.
    """

    log_probability: float
    greedy: bool
    truncated: bool


@torch.inference_mode()
def log_likelihoods(
    decoder: Decoder,
    requests: Sequence[Request],
    *,
    max_length: int | None = None,
    precision: Precision = EXACT,
    scoring: Scoring | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda scored: None,
) -> list[Likelihood]:
    """Score every request, in the order given.

    Tokens that requests have in common from their beginning are read once. Sequences longer than ``max_length`` (the
    design's context by default) lose the left of their context and count as truncated. A continuation that is longer
    by itself is scored whole, one token of context before it: rotary positions allow it. ``scoring`` is what
    ``scorer_for`` gave for the decoder, where several calls share it; ``precision`` then has no say.
    ``on_progress`` gets the number of requests scored so far.

    Raises ``ValueError`` for an empty context or continuation, ``Interrupted`` when asked to stop.
    """
    window = max_length or decoder.config.context_length
    queries = [_fitted(request, window) for request in requests]
    order = sorted_order(queries)
    scored = 0
    results: list[Likelihood | None] = [None] * len(requests)
    scoring = scoring or scorer_for(decoder, cache=default_cache(), precision=precision)
    for slots, values in _scored_chunks(scoring, [queries[index] for index in order]):
        if stop_requested():
            raise Interrupted("scoring was stopped; repeat the command to score again")
        for index, (log_probability, greedy) in zip(order[slots], values, strict=True):
            request = requests[index]
            truncated = len(request.context) + len(request.continuation) > window + 1
            results[index] = Likelihood(log_probability, greedy, truncated)
        scored += len(values)
        on_progress(scored)
    return [result for result in results if result is not None]


def _scored_chunks(scoring: Scoring, queries: Sequence[Query]) -> Iterator[tuple[slice, list[tuple[float, bool]]]]:
    """Sum and greediness of sorted queries, some at a time."""
    scorer, layout, _ = scoring
    parts = [queries[part] for part in chunks(queries, rows=layout.chunk_rows)]
    start = 0
    # The next chunk is laid out while this one is scored.
    with ThreadPoolExecutor(1) as ahead:
        forests = [ahead.submit(plant, part, block_rows=layout.block_rows) for part in parts[:1]]
        for number, part in enumerate(parts):
            forest = forests.pop().result()
            forests += [ahead.submit(plant, later, block_rows=layout.block_rows) for later in parts[number + 1 :][:1]]
            yield slice(start, start + len(part)), _sums(forest, *scorer.score(part, forest))
            start += len(part)


def _sums(forest: Forest, log_probability: np.ndarray, is_best: np.ndarray) -> list[tuple[float, bool]]:
    """Sum and greediness of each request."""
    firsts = forest.request_targets[:-1]
    sums = np.add.reduceat(log_probability[forest.target_of].astype(np.float64), firsts)
    greedy = np.logical_and.reduceat(is_best[forest.target_of], firsts)
    return list(zip(sums.tolist(), greedy.tolist(), strict=True))


@torch.inference_mode()
def token_log_probabilities(decoder: Decoder, token_ids: Sequence[int]) -> list[float | None]:
    """Log-probability of each token given those before it, in nats; None for the first, which nothing predicts.

    A text longer than the context is scored in windows that follow each other, with one token of overlap.
    """
    window = decoder.config.context_length
    values: list[float | None] = [None] if token_ids else []
    for start in range(0, len(token_ids) - 1, window):
        ids_1T = torch.tensor([token_ids[start : start + window + 1]])
        logits_TV = decoder(ids_1T[:, :-1])[0].float()
        values += logits_TV.log_softmax(dim=1).gather(1, ids_1T[0, 1:, None])[:, 0].tolist()
    return values


def _fitted(request: Request, window: int) -> Query:
    """The ids to run; of ``window + 1`` ids ``window`` are read."""
    if not request.context or not request.continuation:
        raise ValueError("a request needs at least one token of context and one of continuation")
    asked = len(request.continuation)
    return Query((*request.context, *request.continuation)[-(max(window, asked) + 1) :], asked)
