"""Which ending a model prefers, by each of the normalisations in use."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Names of lm-evaluation-harness 0.4.13: by the sum of log-probabilities, or that divided by characters or bytes.
ACC, ACC_NORM, ACC_BYTES = "acc", "acc_norm", "acc_bytes"


@dataclass(frozen=True, slots=True)
class Lengths:
    """What the sums of one item's endings are divided by, for each metric."""

    characters: tuple[int, ...]
    text_bytes: tuple[int, ...]
    tokens: tuple[int, ...]

    def divisors(self, metric: str, *, token_mean: bool) -> Sequence[float]:
        """``token_mean`` makes ``acc_norm`` the mean per token (ArithMark 3). A length of 0 divides by 1."""
        if metric == ACC:
            return [1] * len(self.characters)
        lengths = self.text_bytes if metric == ACC_BYTES else self.tokens if token_mean else self.characters
        return [max(length, 1) for length in lengths]


def credit(scores: Sequence[float], labels: Sequence[int]) -> tuple[float, bool]:
    """Credit for choosing the highest score, and whether several share it.

    A constant model must score at chance: in a tie of k each right answer among them counts 1/k. The harness credits
    the first of them, which gives such a model 100% of BLiMP.
    """
    best = max(scores)
    winners = [index for index, score in enumerate(scores) if score == best]
    return sum(label in winners for label in labels) / len(winners), len(winners) > 1


def mass(log_probabilities: Sequence[float], labels: Sequence[int]) -> float:
    """Share of the endings' probability that lies on right ones (TruthfulQA-mc2, arXiv:2109.07958)."""
    top = max(log_probabilities)
    weights = [math.exp(value - top) for value in log_probabilities]
    return sum(weights[label] for label in labels) / sum(weights)
