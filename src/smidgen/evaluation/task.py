"""What scoring a task gives: scores, the baselines they must be held against, and the result of every item."""

from dataclasses import dataclass, field
from typing import Any

from smidgen.evaluation.score import Score


@dataclass(frozen=True, kw_only=True)
class TaskOutcome:
    """Scores by task name and metric; a task may report parts of itself as ``task/part``.

    ``data`` says by task where its items came from, with the hashes of files; ``warnings`` are sentences for whoever
    reads the scores; ``settings`` say by task how it was scored where that differs from the rest.
    """

    scores: dict[str, dict[str, Score]]
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    data: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
