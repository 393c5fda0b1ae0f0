"""Log-probabilities good enough to choose by: the roughest numbers first, finer ones for what these cannot decide.

How far each precision is off is measured on the model and items at hand, not assumed.

R requests    N items (contests), each with some neighbouring requests
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.evaluation.log_likelihood import Likelihood, log_likelihoods
from smidgen.evaluation.request import Request
from smidgen.evaluation.scoring.precision import Precision
from smidgen.evaluation.scoring.scorer import Scoring, rough_scorings, scorer_for
from smidgen.model.decoder import Decoder
from smidgen.native.location import default_cache

# One in so many items, within these bounds, is scored in every precision to begin with: a third of them from all
# over, the others those that are closest, which would most likely be scored again in any case. What turns out to be
# unsure then is learnt from as well.
CALIBRATION_SHARE, FEWEST_CALIBRATION_ITEMS, MOST_CALIBRATION_ITEMS = 40, 12, 60
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
    """Likelihoods of all requests, those of an item in the precision that decided it.

    ``items`` counts these by precision. ``error_nats`` is the root mean square error of one token for each rough
    precision, measured on what was also scored in float32.
    """

    likelihoods: list[Likelihood]
    items: dict[Precision, int]
    error_nats: dict[Precision, float]


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

    ``contests`` hold all requests, in their order.
    """
    quiz = _Quiz(requests, contests)
    is_worth_it = len(contests) > 4 * FEWEST_CALIBRATION_ITEMS
    stages = [_Stage(scoring, quiz) for scoring in rough_scorings(decoder, cache=default_cache()) if is_worth_it]
    exact = _Stage(scorer_for(decoder, cache=default_cache()), quiz)

    def score(stage: _Stage, wanted_N: np.ndarray) -> None:
        chosen = np.flatnonzero(np.repeat(wanted_N & ~stage.scored_N, quiz.sizes_N)).tolist()
        found = log_likelihoods(
            decoder,
            [requests[index] for index in chosen],
            max_length=max_length,
            scoring=stage.scoring,
            stop_requested=stop_requested,
            # What is scored again is not counted again.
            on_progress=on_progress if len(chosen) == len(requests) else lambda scored: None,
        )
        stage.add(chosen, found)

    unsure_N = np.ones(len(contests), dtype=bool)
    if stages:
        score(stages[0], unsure_N)
        unsure_N = _calibration_items(stages[0])
    while unsure_N.any():
        for stage in (*stages, exact):
            score(stage, unsure_N)
        for stage in stages:
            stage.compare(exact, unsure_N)
        unsure_N = ~exact.scored_N
        for stage in stages:
            score(stage, unsure_N)
            unsure_N &= ~stage.decided()
    return _decision(quiz, [exact, *reversed(stages)])


def _calibration_items(stage: "_Stage") -> np.ndarray:
    """Which items to score in every precision once they are scored in the roughest."""
    count = len(stage.scored_N)
    wanted = min(max(count // CALIBRATION_SHARE, FEWEST_CALIBRATION_ITEMS), MOST_CALIBRATION_ITEMS)
    chosen_N = np.zeros(count, dtype=bool)
    chosen_N[:: count // (wanted // 3)] = True
    chosen_N[stage.closest_first()[: wanted - wanted // 3]] = True
    return chosen_N


class _Quiz:
    """Requests and contests as arrays, so that a pass over all items is a few operations."""

    def __init__(self, requests: Sequence[Request], contests: Sequence[Contest]) -> None:
        self.tokens_R = np.array([len(request.continuation) for request in requests], dtype=float)
        self.sizes_N = np.array([len(contest.requests) for contest in contests], dtype=int)
        self.firsts_N = np.cumsum(self.sizes_N) - self.sizes_N
        self.item_R = np.repeat(np.arange(len(contests)), self.sizes_N)
        # By metric.
        self.divisors_R = [
            np.concatenate([contest.divisors[metric] for contest in contests])
            for metric in range(len(contests[0].divisors) if contests else 0)
        ]

    def best_of_each(self, scores_R: np.ndarray) -> np.ndarray:
        """For each request the best one of its item, the first of equals; itself where scores are NaN."""
        index_R = np.arange(len(scores_R))
        is_best_R = scores_R == np.maximum.reduceat(scores_R, self.firsts_N)[self.item_R]
        best_N = np.minimum.reduceat(np.where(is_best_R, index_R, len(scores_R)), self.firsts_N)
        best_R = best_N[self.item_R]
        return np.where(best_R < len(scores_R), best_R, index_R)


class _Stage:
    """What one precision gave so far, and how far it was off.

    Errors are in nats over the root of the number of tokens, with which the error of a sum grows (measured from 1 to
    99 tokens, experiments.md): of single endings, and of differences between endings of an item. Endings share their
    context and its errors, so that a difference may be surer than either of its sides.
    """

    def __init__(self, scoring: Scoring, quiz: _Quiz) -> None:
        self.scoring, self.quiz = scoring, quiz
        self.found: dict[int, Likelihood] = {}
        self.sums_R = np.full(len(quiz.item_R), np.nan)
        self.scored_N = np.zeros(len(quiz.sizes_N), dtype=bool)
        self.errors_alone: list[float] = []
        self.errors_between: list[float] = []

    def add(self, chosen: list[int], likelihoods: Sequence[Likelihood]) -> None:
        self.found.update(zip(chosen, likelihoods, strict=True))
        self.sums_R[chosen] = [likelihood.log_probability for likelihood in likelihoods]
        self.scored_N[self.quiz.item_R[chosen]] = True

    def compare(self, exact: "_Stage", items_N: np.ndarray) -> None:
        """Learn from items that were scored in both."""
        for item in np.flatnonzero(items_N):
            place = slice(self.quiz.firsts_N[item], self.quiz.firsts_N[item] + self.quiz.sizes_N[item])
            error, tokens = self.sums_R[place] - exact.sums_R[place], self.quiz.tokens_R[place]
            self.errors_alone.extend(error / np.sqrt(tokens))
            first, second = np.triu_indices(len(error), k=1)
            self.errors_between.extend((error[first] - error[second]) / np.sqrt(tokens[first] + tokens[second]))

    def decided(self) -> np.ndarray:
        """Of which items the best ending stays the best, and alone, whatever the errors within their bounds."""
        alone, between = _bound(self.errors_alone), _bound(self.errors_between)
        decided_N = np.ones(len(self.quiz.sizes_N), dtype=bool)
        for margins_R, alone_R, between_R in self._margins():
            decided_N &= np.logical_and.reduceat(
                margins_R > alone * alone_R + between * between_R, self.quiz.firsts_N
            )
        return decided_N

    def closest_first(self) -> np.ndarray:
        """Items in the order of the error that would change their best ending."""
        closeness_N = np.full(len(self.quiz.sizes_N), np.inf)
        for margins_R, alone_R, between_R in self._margins():
            errors_R = margins_R / np.maximum(alone_R + between_R, 1e-30)
            closeness_N = np.minimum(closeness_N, np.minimum.reduceat(errors_R, self.quiz.firsts_N))
        return np.argsort(closeness_N, kind="stable")

    def _margins(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """By metric: how far each ending is behind its item's best one, and how often that margin holds an error of
        one ending and an error of a difference.

        The error of ``a / u - b / v`` is ``(a - b) / u`` plus ``b (1 / u - 1 / v)``. The margin of the best one
        itself is infinite; that of NaN is NaN, which decides nothing.
        """
        quiz = self.quiz
        for divisors_R in quiz.divisors_R:
            scores_R = self.sums_R / divisors_R
            best_R = quiz.best_of_each(scores_R)
            is_best_R = (best_R == np.arange(len(best_R))) & ~np.isnan(scores_R)
            yield (
                np.where(is_best_R, np.inf, scores_R[best_R] - scores_R),
                np.sqrt(quiz.tokens_R) * np.abs(1 / divisors_R[best_R] - 1 / divisors_R),
                np.sqrt(quiz.tokens_R + quiz.tokens_R[best_R]) / divisors_R[best_R],
            )


def _bound(errors: Sequence[float]) -> float:
    return max(SAFE_DEVIATIONS * _root_mean_square(errors), SAFE_FACTOR * float(np.abs(errors).max()))


def _root_mean_square(errors: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def _decision(quiz: _Quiz, stages: Sequence[_Stage]) -> Decision:
    """From each item's finest stage; ``stages`` come from the finest to the roughest."""
    likelihoods: dict[int, Likelihood] = {}
    items: dict[Precision, int] = {}
    taken_N = np.zeros(len(quiz.sizes_N), dtype=bool)
    for stage in stages:
        likelihoods = {**stage.found, **likelihoods}
        items[stage.scoring.scorer.precision] = int((stage.scored_N & ~taken_N).sum())
        taken_N |= stage.scored_N
    return Decision(
        likelihoods=[likelihoods[index] for index in range(len(quiz.tokens_R))],
        items=items,
        error_nats={
            stage.scoring.scorer.precision: _root_mean_square(stage.errors_alone)
            for stage in stages
            if stage.errors_alone
        },
    )
