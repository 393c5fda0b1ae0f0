"""What this processor is fast at, as measured."""

import time
from functools import cache

import torch

# Of matrices whose product takes 1 to 2 ms on two cores.
SIZE, TURNS = 512, 16


@cache
def is_bfloat16_faster() -> bool:
    """Whether products of bfloat16 take less time than those of float32.

    No flag tells: with dot products of bfloat16 and without matrix tiles, AMD's processors multiply twice as fast as
    in float32 and Intel's half as fast (experiments.md). The two take turns, so that a neighbour on the same cores
    meets both, and the best turn of each counts.
    """
    factors = [torch.ones(SIZE, SIZE, dtype=dtype) for dtype in (torch.bfloat16, torch.float32)]
    seconds = [[_seconds_of_square(each) for each in factors] for _ in range(TURNS)]
    in_bfloat16, in_float32 = map(min, zip(*seconds, strict=True))
    return in_bfloat16 < in_float32


def _seconds_of_square(matrix: torch.Tensor) -> float:
    started = time.perf_counter()
    matrix @ matrix
    return time.perf_counter() - started
