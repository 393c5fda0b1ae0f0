"""Many small things grouped, so that one numpy call serves all of a group."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from smidgen.batching import batched

Value = TypeVar("Value")

# Enough for numpy, and little enough for the processor's cache.
BATCH_CHARACTERS = 125_000


def batches(values: Iterable[Value], characters_of: Callable[[Value], int]) -> Iterator[list[Value]]:
    """Yield the values in order, in lists of `BATCH_CHARACTERS` characters or a little more."""
    return batched(values, characters_of, BATCH_CHARACTERS)
