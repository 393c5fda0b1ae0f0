"""Single numbers that leaderboards make of several scores, each with a 95% interval.

A part's standard error is its interval's width over 2 x 1.96. The parts are measured on different items, so that
their errors are independent, and a weighted sum has ``error = sqrt(sum((weight * error of part) ** 2))``; the
interval is the value and 1.96 errors to either side.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from smidgen.evaluation.intervals import Z_95

# Scores of a record: task, metric, then "value", "low" and "high".
Scores = Mapping[str, Mapping[str, Mapping[str, float]]]

ARITHMARK_WEIGHT = 0.65
# Where Glint's WikiText score is 100 and where it is 0.
BEST_BYTE_PERPLEXITY = 1.86
WORST_BYTE_PERPLEXITY = 500.0


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its standard error."""

    value: float
    error: float

    def times(self, factor: float) -> "Measured":
        return Measured(self.value * factor, self.error * abs(factor))

    def plus(self, other: "Measured") -> "Measured":
        return Measured(self.value + other.value, math.hypot(self.error, other.error))

    def as_interval(self) -> dict[str, float]:
        half = Z_95 * self.error
        return {"value": self.value, "low": self.value - half, "high": self.value + half}


def indices(scores: Scores) -> dict[str, dict[str, float]]:
    """Those indices of which every part was scored, as ``{"value", "low", "high"}`` in percent."""
    found = {name: rule(scores) for name, rule in INDICES.items()}
    return {name: index.as_interval() for name, index in found.items() if index is not None}


def intelligence_index(scores: Scores) -> Measured | None:
    """The Open SLM Leaderboard's index: percentages above chance, the two ARCs averaged first; None without all.

    ``(N(HellaSwag) + N(ARC) + N(PIQA) + 0.65 N(ArithMark-3)) / 3.65`` with
    ``N = 100 (score - chance) / (100 - chance)``, not clamped; all by acc_norm.
    """
    names = ("hellaswag", "arc_easy", "arc_challenge", "piqa", "arithmark3")
    if not all("acc_norm" in scores.get(name, {}) for name in names):
        return None
    hellaswag, easy, challenge, piqa, arithmark = (_percent(scores[name]["acc_norm"]) for name in names)
    arc = easy.plus(challenge).times(1 / 2)
    total = _above_chance(hellaswag, 25).plus(_above_chance(arc, 25)).plus(_above_chance(piqa, 50))
    return total.plus(_above_chance(arithmark, 25).times(ARITHMARK_WEIGHT)).times(1 / (3 + ARITHMARK_WEIGHT))


def glint_overall(scores: Scores) -> Measured | None:
    """Glint's Tiny-ML score: the mean of BLiMP, ARC-Easy (both acc) and the WikiText score; None without all."""
    parts = (("blimp", "acc"), ("arc_easy", "acc"), ("wikitext", "byte_perplexity"))
    if not all(metric in scores.get(task, {}) for task, metric in parts):
        return None
    blimp, arc, perplexity = (scores[task][metric] for task, metric in parts)
    return _percent(blimp).plus(_percent(arc)).plus(_wikitext_score(perplexity)).times(1 / 3)


INDICES: dict[str, Callable[[Scores], Measured | None]] = {
    "intelligence_index": intelligence_index,
    "glint_overall": glint_overall,
}


def _above_chance(score: Measured, chance: float) -> Measured:
    scaled = score.times(100 / (100 - chance))
    return Measured(scaled.value - 100 * chance / (100 - chance), scaled.error)


def _percent(score: Mapping[str, float]) -> Measured:
    return Measured(score["value"], _error(score["low"], score["high"])).times(100)


def _wikitext_score(perplexity: Mapping[str, float]) -> Measured:
    """``100 clip(1 - ln(min(p, 500) / 1.86) / ln(500 / 1.86), 0, 1)``; its ends are those of p, so scaled."""
    value, best, worst = (_wikitext_points(perplexity[name]) for name in ("value", "low", "high"))
    return Measured(value, _error(worst, best))


def _wikitext_points(perplexity: float) -> float:
    share = math.log(perplexity / BEST_BYTE_PERPLEXITY) / math.log(WORST_BYTE_PERPLEXITY / BEST_BYTE_PERPLEXITY)
    return 100 * min(max(1 - share, 0.0), 1.0)


def _error(low: float, high: float) -> float:
    return (high - low) / (2 * Z_95)
