"""Many small things taken together."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Value = TypeVar("Value")


def batched(values: Iterable[Value], size_of: Callable[[Value], int], size: int) -> Iterator[list[Value]]:
    """Yield the values in order, in lists that end with the value that makes them reach ``size``."""
    batch: list[Value] = []
    so_far = 0
    for value in values:
        batch.append(value)
        so_far += size_of(value)
        if so_far >= size:
            yield batch
            batch, so_far = [], 0
    if batch:
        yield batch
