"""How a model is scored, the same for all tasks of one record."""

from collections.abc import Callable
from dataclasses import dataclass, field

from smidgen.errors import BadInput
from smidgen.evaluation.multiple_choice import Precision
from smidgen.evaluation.tasks.documents import EvalData

PRECISIONS = ("exact", "fast")


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """``limit`` bounds the items of each task, or of each part where a task has parts.

    Generated items depend on ``seed``; ``data`` is where benchmarks lie. ``on_progress`` gets the number of texts of
    the present task that are scored. Raises ``BadInput`` for values out of range.
    """

    precision: Precision = "exact"
    limit: int | None = None
    seed: int = 0
    data: EvalData = field(default_factory=EvalData)
    stop_requested: Callable[[], bool] = lambda: False
    on_progress: Callable[[int], None] = lambda scored: None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise BadInput(f"--limit {self.limit} must be at least 1")
        if self.precision not in PRECISIONS:
            raise BadInput(f"--precision {self.precision} is unknown; known are {' and '.join(PRECISIONS)}")
