"""Which texts repeat the same words too often: a quick look at all, and an exact one where it is needed."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from smidgen.data.quality.measurements import Measurements
from smidgen.data.quality.repetition import Repetition

Failing = npt.NDArray[np.bool_]


def has_top_ngram(texts: Measurements, most: tuple[float, ...]) -> Failing:
    """Texts of which one run of 2, 3 ... words makes up more than ``most``, a limit for each size."""
    sizes = range(2, 2 + len(most))
    bounds = [texts.repetition.top_share_bound(size) for size in sizes]
    suspects = np.logical_or.reduce([bound > limit for bound, limit in zip(bounds, most, strict=True)])
    return _confirmed(texts, suspects, lambda repetition: [repetition.top_share(size) for size in sizes], most)


def has_duplicate_ngrams(texts: Measurements, most: tuple[float, ...]) -> Failing:
    """Texts of which more than ``most``, a limit for each size, stands in repeated runs of 5, 6 ... words."""
    # What stands in repeated runs of 6 words also stands in repeated runs of 5.
    shares = texts.repetition.duplicate_share(5)
    sizes = range(6, 5 + len(most))
    is_failing = shares > most[0]
    longer = _confirmed(
        texts,
        (shares > min(most)) & ~is_failing,
        lambda repetition: [repetition.duplicate_share(size) for size in sizes],
        most[1:],
    )
    return is_failing | longer


def _confirmed(
    texts: Measurements,
    suspects: Failing,
    shares: Callable[[Repetition], list[npt.NDArray[np.float64]]],
    most: tuple[float, ...],
) -> Failing:
    """Which of the suspects have a share above its limit."""
    failing = np.zeros(len(suspects), bool)
    if suspects.any():
        found = shares(texts.repetition_of(suspects))
        failing[suspects] = np.logical_or.reduce([share > limit for share, limit in zip(found, most, strict=True)])
    return failing
