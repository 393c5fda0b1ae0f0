"""Log-probabilities good enough to choose by: bfloat16 first, float32 for every item that this cannot decide.

How far bfloat16 is off is measured on the model and items at hand, not assumed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.evaluation.log_likelihood import Likelihood, Request, log_likelihoods, supports_bfloat16
from smidgen.model.decoder import Decoder

# Items scored both ways to begin with.
CALIBRATION_ITEMS = 32
# A difference of two sums is trusted beyond this many standard deviations of its error, or this many times the
# worst error seen, whichever is more. Assumed; the benchmark counts the choices that differ (none so far).
SAFE_DEVIATIONS, SAFE_FACTOR = 6.0, 2.0


@dataclass(frozen=True, kw_only=True)
class Contest:
    """One item: where its requests lie, and what their sums are divided by, once for each metric."""

    requests: range
    divisors: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Likelihoods of all requests, of which those of ``exact_items`` are in float32.

    ``error_nats`` is the root mean square error of bfloat16 for one token, measured on them; None where all are
    exact.
    """

    likelihoods: list[Likelihood]
    exact_items: int
    error_nats: float | None


def decide(
    decoder: Decoder,
    requests: Sequence[Request],
    contests: Sequence[Contest],
    *,
    max_length: int | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda scored: None,
) -> Decision:
    """Score so that every item's best ending is that of float32, by each of its metrics.

    Errors of different tokens are taken to be independent, so that of a sum grows with the square root of its length.
    """

    def scored(chosen: Sequence[int], precision: str) -> list[Likelihood]:
        return log_likelihoods(
            decoder,
            [requests[index] for index in chosen],
            max_length=max_length,
            precision=precision,  # type: ignore[arg-type]
            stop_requested=stop_requested,
            on_progress=on_progress if precision == "bfloat16" else lambda scored: None,
        )

    everything = range(len(requests))
    if len(contests) <= 2 * CALIBRATION_ITEMS or not supports_bfloat16(decoder):
        return Decision(likelihoods=scored(everything, "float32"), exact_items=len(contests), error_nats=None)
    likelihoods = scored(everything, "bfloat16")
    quick = np.array([likelihood.log_probability for likelihood in likelihoods])
    lengths = np.array([len(request.continuation) for request in requests])
    exact: set[int] = set()
    errors: list[float] = []
    unsure = list(range(0, len(contests), len(contests) // CALIBRATION_ITEMS))
    while unsure:
        chosen = [index for item in unsure for index in contests[item].requests]
        for index, likelihood in zip(chosen, scored(chosen, "float32"), strict=True):
            errors.append((quick[index] - likelihood.log_probability) / math.sqrt(lengths[index]))
            likelihoods[index] = likelihood
        exact.update(unsure)
        tolerance = _tolerance(errors) * np.sqrt(lengths)
        unsure = [
            item
            for item, contest in enumerate(contests)
            if item not in exact and not _is_decided(quick, tolerance, contest)
        ]
    deviation = float(np.sqrt(np.mean(np.square(errors))))
    return Decision(likelihoods=likelihoods, exact_items=len(exact), error_nats=deviation)


def _tolerance(errors: Sequence[float]) -> float:
    """Error of one token's log-probability that is not exceeded; NaN for a broken model, which decides nothing."""
    sizes = np.abs(errors)
    return float(max(SAFE_DEVIATIONS * np.sqrt(np.mean(sizes**2)), SAFE_FACTOR * sizes.max()))


def _is_decided(quick: np.ndarray, tolerance: np.ndarray, contest: Contest) -> bool:
    """Whether the best ending stays the best, and alone, whatever the errors within their bounds."""
    place = slice(contest.requests.start, contest.requests.stop)
    for divisors in contest.divisors:
        scores, bounds = quick[place] / divisors, tolerance[place] / divisors
        best = int(scores.argmax())
        safe = scores[best] - scores > np.hypot(bounds, bounds[best])
        safe[best] = True
        if not safe.all():
            return False
    return True
