"""Log-probabilities good enough to choose by: bfloat16 first, float32 for every item that this cannot decide.

How far bfloat16 is off is measured on the model and items at hand, not assumed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.evaluation.log_likelihood import Likelihood, log_likelihoods, supports_bfloat16
from smidgen.evaluation.request import Request
from smidgen.model.decoder import Decoder

# Items scored both ways to begin with.
CALIBRATION_ITEMS = 32
# A margin is trusted beyond this many standard deviations of its error, or this many times the worst error seen,
# whichever is more. Over 7,000 margins of four benchmarks and two models the worst error was 5.0 deviations and one
# in 3,000 exceeded 4 (experiments.md, 2026-11-21); a wrong choice needs such an error and as small a margin.
SAFE_DEVIATIONS, SAFE_FACTOR = 5.0, 1.5


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

    The error of a sum grows with the square root of its length: measured, from 1 to 99 tokens (experiments.md).
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
    errors = _Errors([], [])
    unsure = list(range(0, len(contests), len(contests) // CALIBRATION_ITEMS))
    while unsure:
        chosen = [index for item in unsure for index in contests[item].requests]
        for index, likelihood in zip(chosen, scored(chosen, "float32"), strict=True):
            likelihoods[index] = likelihood
        for item in unsure:
            place = slice(contests[item].requests.start, contests[item].requests.stop)
            errors.add(quick[place] - [each.log_probability for each in likelihoods[place]], lengths[place])
        exact.update(unsure)
        bounds = errors.bounds()
        unsure = [
            item
            for item, contest in enumerate(contests)
            if item not in exact and not _is_decided(quick, lengths, contest, bounds)
        ]
    return Decision(likelihoods=likelihoods, exact_items=len(exact), error_nats=_root_mean_square(errors.alone))


@dataclass(frozen=True, slots=True)
class _Errors:
    """Errors of bfloat16 in nats over the root of the number of tokens: of single endings, and of differences.

    Endings share their context and its errors, so that a difference may be surer than either of its sides.
    """

    alone: list[float]
    between: list[float]

    def add(self, error: np.ndarray, lengths: np.ndarray) -> None:
        """Those of the endings of one item."""
        self.alone.extend(error / np.sqrt(lengths))
        first, second = np.triu_indices(len(error), k=1)
        self.between.extend((error[first] - error[second]) / np.sqrt(lengths[first] + lengths[second]))

    def bounds(self) -> tuple[float, float]:
        """What neither exceeds; NaN for a broken model, which decides nothing."""
        return _bound(self.alone), _bound(self.between)


def _bound(errors: Sequence[float]) -> float:
    return max(SAFE_DEVIATIONS * _root_mean_square(errors), SAFE_FACTOR * float(np.abs(errors).max()))


def _root_mean_square(errors: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def _is_decided(quick: np.ndarray, lengths: np.ndarray, contest: Contest, bounds: tuple[float, float]) -> bool:
    """Whether the best ending stays the best, and alone, whatever the errors within their bounds.

    The error of ``a / u - b / v`` is ``(a - b) / u`` plus ``b (1 / u - 1 / v)``.
    """
    alone, between = bounds
    place = slice(contest.requests.start, contest.requests.stop)
    for divisors in contest.divisors:
        scores, shares = quick[place] / divisors, 1 / np.array(divisors)
        best = int(scores.argmax())
        error = between * np.sqrt(lengths[place] + lengths[place][best]) * shares[best]
        error += alone * np.sqrt(lengths[place]) * np.abs(shares[best] - shares)
        safe = scores[best] - scores > error
        safe[best] = True
        if not safe.all():
            return False
    return True
