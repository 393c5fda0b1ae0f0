"""From values to pixels, and where to put the ticks."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A straight line through (low, start) and (high, end); ``high`` must exceed ``low``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def within(self, value: float) -> float:
        """The nearest value on the scale."""
        return min(max(value, self.low), self.high)

    def ticks(self, wanted: int) -> list[float]:
        """About ``wanted`` round values inside the scale."""
        step = round_step((self.high - self.low) / wanted)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def round_step(rough: float) -> float:
    """The nearest of 1, 2, 5 times a power of ten that is not below."""
    power = 10 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def room_around(values: list[float]) -> tuple[float, float]:
    """Limits a little beyond all values."""
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(high), 1e-9):
        margin = abs(high) / 10 or 1.0
        return low - margin, high + margin
    margin = (high - low) * 0.06
    return low - margin, high + margin


def decimals_of(ticks: list[float]) -> int:
    """Decimals that tell the ticks apart."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1
    return max(0, -math.floor(math.log10(step) + 1e-9))
