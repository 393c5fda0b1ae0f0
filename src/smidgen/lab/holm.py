"""Several comparisons at once: p-values that keep the chance of any false verdict below the level."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given (Holm, Scandinavian Journal of Statistics 1979).

    The smallest is multiplied by the number of comparisons, the next by one less, and none may fall below the one
    before it. Holds whatever the dependence between the comparisons.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
