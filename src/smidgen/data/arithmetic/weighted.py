"""Choosing among weighted things with one number from 0 to 1."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Generic, TypeVar

Item = TypeVar("Item")
# Numbers from 0 to below 1, such as ``random.Random("seed").random``.
Draw = Callable[[], float]


class Weighted(Generic[Item]):
    """Items with weights, of which some are positive; those of weight 0 are never chosen."""

    __slots__ = ("_bounds", "_last", "items")

    def __init__(self, pairs: Iterable[tuple[Item, float]]) -> None:
        chosen = [(item, weight) for item, weight in pairs if weight]
        self.items = tuple(item for item, _ in chosen)
        total = sum(weight for _, weight in chosen)
        self._bounds = list(accumulate(weight / total for _, weight in chosen))
        self._last = len(chosen) - 1

    def at(self, position: float) -> Item:
        """The item whose stretch of 0 to 1 holds ``position``."""
        # The bounds may end a rounding error below 1.
        return self.items[min(bisect_right(self._bounds, position), self._last)]
