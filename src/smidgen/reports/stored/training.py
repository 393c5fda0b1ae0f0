"""``measurements.jsonl``: how training went."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.records import measurements
from smidgen.reports.stored.json_file import damage_named
from smidgen.reports.stored.values import number, numbers, optional, text, whole


@dataclass(frozen=True, kw_only=True)
class TrainingPoint:
    step: int
    tokens: int
    seconds: float
    loss: float
    learning_rate: float | None
    tokens_per_second: float | None


@dataclass(frozen=True, kw_only=True)
class HeldOutPoint:
    step: int
    tokens: int
    seconds: float
    bits_per_byte: float
    by_source: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    points: tuple[TrainingPoint, ...]
    held_out: tuple[HeldOutPoint, ...]
    events: tuple[str, ...]

    @property
    def tokens(self) -> int:
        return max(point.tokens for point in self._measured)

    @property
    def seconds(self) -> float:
        return max(point.seconds for point in self._measured)

    @property
    def tokens_per_second(self) -> float | None:
        return self.tokens / self.seconds if self.seconds > 0 else None

    @property
    def _measured(self) -> list[TrainingPoint | HeldOutPoint]:
        return [*self.points, *self.held_out]


def read_training(path: Path) -> TrainingRecord | None:
    """``None`` where nothing has been trained yet."""
    with damage_named(path):
        points = tuple(_training_point(line) for line in measurements.read(path, measurements.TRAINING))
        held_out = tuple(_held_out_point(line) for line in measurements.read(path, measurements.HELD_OUT))
        events = tuple(_event(line) for line in measurements.read(path, measurements.EVENT))
        return TrainingRecord(points=points, held_out=held_out, events=events) if points or held_out else None


def _event(line: dict[str, Any]) -> str:
    place = f"Step {whole(line['step']):,}: " if "step" in line else ""
    return place + text(line["message"])


def _training_point(line: dict[str, Any]) -> TrainingPoint:
    return TrainingPoint(
        step=whole(line["step"]),
        tokens=whole(line["tokens"]),
        seconds=number(line["seconds"]),
        loss=number(line["loss"]),
        learning_rate=optional(number, line.get("learning_rate")),
        tokens_per_second=optional(number, line.get("tokens_per_second")),
    )


def _held_out_point(line: dict[str, Any]) -> HeldOutPoint:
    return HeldOutPoint(
        step=whole(line["step"]),
        tokens=whole(line["tokens"]),
        seconds=number(line["seconds"]),
        bits_per_byte=number(line["bits_per_byte"]),
        by_source=numbers(line.get("by_source") or {}),
    )
