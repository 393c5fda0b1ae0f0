"""A training loop's side of taking turns: it runs a step when asked to, and says what the step took."""

import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from torch.profiler import ProfilerActivity, profile

from smidgen.records.environment import peak_memory_bytes

# Where the time of a step goes, by the names that the profiler gives; the first that fits counts.
PARTS = {
    "attention": ("smidgen::causal_attention", "aten::_scaled_dot_product", "aten::_flash_attention"),
    "feed-forward": ("smidgen::feed_forward",),
    "head and loss": ("smidgen::head_loss",),
    "norms": ("smidgen::norm",),
    "other products": ("aten::mm", "aten::addmm", "aten::bmm", "mkldnn"),
    "compiled passes": ("## Call CompiledFxGraph",),
    "update": ("aten::_fused_adamw", "aten::_foreach", "aten::mul_", "aten::linalg_vector_norm", "Optimizer"),
}
REST = "rest"


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """What a step took, of the clock and of all processors together, and its loss before the update.

    ``milliseconds`` are those of its parts, if it was profiled; ``peak_memory_bytes`` the most of its process so far.
    """

    wall_seconds: float
    cpu_seconds: float
    loss: float
    peak_memory_bytes: int
    milliseconds: dict[str, float] = field(default_factory=dict)


class Turn:
    """Between two calls of ``over`` lies one step, with all that the loop does around it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._profiler: profile | None = None
        self._start_clocks()

    def over(self, loss: float) -> None:
        """Report the step and wait for the next turn. ``EOFError`` says that nobody asks for one any more."""
        wall_seconds, cpu_seconds = time.perf_counter() - self._wall, time.process_time() - self._cpu
        self._connection.send(
            StepReport(
                wall_seconds=wall_seconds,
                cpu_seconds=cpu_seconds,
                loss=loss,
                peak_memory_bytes=peak_memory_bytes() or 0,
                milliseconds=self._milliseconds_by_part(),
            )
        )
        if self._connection.recv():
            self._profiler = profile(activities=[ProfilerActivity.CPU])
            self._profiler.start()
        self._start_clocks()

    def _start_clocks(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def _milliseconds_by_part(self) -> dict[str, float]:
        if self._profiler is None:
            return {}
        profiler, self._profiler = self._profiler, None
        profiler.stop()
        milliseconds: Counter[str] = Counter()
        for event in profiler.key_averages():
            milliseconds[part_of(event.key)] += event.self_cpu_time_total / 1e3
        return dict(milliseconds)


def part_of(event: str) -> str:
    return next((part for part, names in PARTS.items() if event.startswith(names)), REST)
