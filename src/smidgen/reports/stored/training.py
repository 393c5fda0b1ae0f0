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
    gradient_norm: float | None = None
    fraction_of_peak: float | None = None
    peak_memory_bytes: int | None = None
    gpu_memory_bytes: int | None = None


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
        return training_record(measurements.read_all(path))


def training_record(lines: dict[str, list[dict[str, Any]]]) -> TrainingRecord | None:
    """From lines by kind. Meant to stand inside ``damage_named``."""
    points = tuple(_training_point(line) for line in lines.get(measurements.TRAINING, ()))
    held_out = tuple(_held_out_point(line) for line in lines.get(measurements.HELD_OUT, ()))
    events = tuple(event_words(line) for line in lines.get(measurements.EVENT, ()))
    return TrainingRecord(points=points, held_out=held_out, events=events) if points or held_out else None


def event_words(line: dict[str, Any]) -> str:
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
        gradient_norm=optional(number, line.get("gradient_norm")),
        fraction_of_peak=optional(number, line.get("fraction_of_peak")),
        peak_memory_bytes=optional(whole, line.get("peak_memory_bytes")),
        gpu_memory_bytes=optional(whole, line.get("gpu_memory_bytes")),
    )


def _held_out_point(line: dict[str, Any]) -> HeldOutPoint:
    return HeldOutPoint(
        step=whole(line["step"]),
        tokens=whole(line["tokens"]),
        seconds=number(line["seconds"]),
        bits_per_byte=number(line["bits_per_byte"]),
        by_source=numbers(line.get("by_source") or {}),
    )
