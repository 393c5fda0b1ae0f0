"""What a training run tells: after each step, and at its end."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What can be shown after a step; ``bits_per_byte`` is the newest held-out measurement.

    ``peak_memory_bytes`` are the most of this process and ``gpu_memory_bytes`` the most on its GPU, as last logged.
    """

    step: int
    steps: int
    tokens: int
    loss: float
    bits_per_byte: float | None
    tokens_per_second: float
    seconds_left: float
    fraction_of_peak: float
    peak_memory_bytes: int | None = None
    gpu_memory_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """How far a run came. ``loss`` is the mean of the last logged steps in nats per token."""

    step: int
    tokens: int
    loss: float | None
    bits_per_byte: float | None
    tokens_per_second: float
    seconds: float
    fraction_of_peak: float
    finished: bool
    notices: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "notices": list(self.notices)}
