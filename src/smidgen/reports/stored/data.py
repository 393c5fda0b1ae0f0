"""``data/index.json`` and ``mixture.json``: what was tokenised, and what the model saw when."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, number, numbers, optional, sequence, text, whole


@dataclass(frozen=True, kw_only=True)
class SourceCounts:
    name: str
    origin: str
    documents: int | None
    train_tokens: int | None
    held_out_tokens: int | None
    planned_share: float | None
    epochs: float | None
    rejected: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class DataIndex:
    sources: tuple[SourceCounts, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MixturePoint:
    """Shares of each source around a number of trained tokens; ``realised`` is empty where not yet trained."""

    tokens: int
    planned: dict[str, float]
    realised: dict[str, float]


def read_data_index(path: Path) -> DataIndex | None:
    with damage_named(path):
        stored = read_object(path)
        if stored is None:
            return None
        return DataIndex(
            sources=tuple(_source(name, mapping(counts)) for name, counts in mapping(stored["sources"]).items()),
            warnings=tuple(text(warning) for warning in sequence(stored.get("warnings") or [])),
        )


def read_mixture(path: Path) -> tuple[MixturePoint, ...]:
    with damage_named(path):
        stored = read_object(path)
        points = [_point(mapping(point)) for point in sequence(stored["points"])] if stored else []
        return tuple(sorted(points, key=lambda point: point.tokens))


def _source(name: str, counts: dict[str, Any]) -> SourceCounts:
    return SourceCounts(
        name=name,
        origin=optional(text, counts.get("origin"), ""),
        documents=optional(_documents, counts.get("documents")),
        train_tokens=optional(whole, counts.get("train_tokens")),
        held_out_tokens=optional(whole, counts.get("held_out_tokens")),
        planned_share=optional(number, counts.get("planned_share")),
        epochs=optional(number, counts.get("epochs")),
        rejected={reason: whole(times) for reason, times in mapping(counts.get("rejected") or {}).items()},
    )


def _documents(value: Any) -> int:
    """Those that are trained on: stated alone, or beside those held out and left out."""
    return whole(mapping(value)["train"] if isinstance(value, dict) else value)


def _point(point: dict[str, Any]) -> MixturePoint:
    return MixturePoint(
        tokens=whole(point["tokens"]),
        planned=numbers(point["planned"]),
        realised=numbers(point.get("realised") or {}),
    )
