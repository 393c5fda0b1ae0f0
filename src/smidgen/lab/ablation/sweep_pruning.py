"""Whether a trial of a sweep goes on past a fraction of its training, by its held-out bits per byte there."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

# Before so many have come to a fraction their median says little (optuna waits for 5 as well).
LEAST_FOR_A_MEDIAN = 5


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What was decided at a fraction of the training: ``bits_per_byte`` at most ``limit`` ``goes_on``.

    ``limit`` is ``None`` while nothing is stopped.
    """

    at: float
    bits_per_byte: float
    limit: float | None
    goes_on: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def judge(
    pruner: Literal["median", "halving", "none"], at: float, bits_per_byte: float, others: Sequence[float]
) -> Judgement:
    """Decide on a trial; ``others`` are the values of those that came to the same fraction before.

    "median" stops what is worse than their median. "halving" stops what is not in the better half of all that came
    there so far, itself included: successive halving that waits for nobody (ASHA, Li et al. 2018, arXiv:1810.05934).
    """
    limit = None
    if pruner == "median" and len(others) >= LEAST_FOR_A_MEDIAN:
        limit = median(others)
    elif pruner == "halving":
        ranked = sorted([*others, bits_per_byte])
        limit = ranked[(len(ranked) + 1) // 2 - 1]
    return Judgement(at=at, bits_per_byte=bits_per_byte, limit=limit, goes_on=limit is None or bits_per_byte <= limit)
