"""A seeded source of choices that gives the same answers in every process and Python version."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


class Dice:
    """Choices drawn with ``Random.random`` only.

    Python promises that ``random()`` keeps its sequence between versions; it does not promise so for
    ``choice`` and ``sample``. A string seed is hashed with SHA-512, never with ``hash()``.
    """

    __slots__ = ("random",)

    def __init__(self, seed: str) -> None:
        self.random = Random(seed).random

    def pick(self, options: Sequence[Item]) -> Item:
        return options[int(self.random() * len(options))]

    def coin(self) -> bool:
        return self.random() < 0.5

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def two(self, options: Sequence[Item]) -> tuple[Item, Item]:
        """Two different items."""
        first = int(self.random() * len(options))
        second = int(self.random() * (len(options) - 1))
        return options[first], options[second + (second >= first)]

    def several(self, options: Sequence[Item], count: int) -> tuple[Item, ...]:
        """``count`` different items, in random order."""
        left = list(options)
        return tuple(left.pop(int(self.random() * len(left))) for _ in range(count))
