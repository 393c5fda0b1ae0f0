"""``manifest.json``: on what machine, with what versions and at what cost the run was made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, number, optional, text, whole


@dataclass(frozen=True, kw_only=True)
class StageCost:
    name: str
    seconds: float
    peak_memory_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    versions: dict[str, str]
    processor: str
    cores: int | None
    memory_bytes: int | None
    gpu: str
    stages: tuple[StageCost, ...]
    command: str

    @property
    def machine(self) -> str:
        """What did the work, in a few words; empty where it is not recorded."""
        if self.gpu:
            return self.gpu
        if not self.cores:
            return self.processor
        return f"{self.cores} CPU core{'s' if self.cores > 1 else ''}"


def read_manifest(path: Path) -> Manifest | None:
    with damage_named(path):
        stored = read_object(path)
        return None if stored is None else _manifest(stored)


def _manifest(stored: dict[str, Any]) -> Manifest:
    hardware = mapping(stored.get("hardware") or {})
    stages = mapping(stored.get("stages") or {})
    return Manifest(
        versions={name: text(version) for name, version in mapping(stored.get("versions") or {}).items()},
        processor=optional(text, hardware.get("processor"), ""),
        cores=optional(whole, hardware.get("cores")),
        memory_bytes=optional(whole, hardware.get("memory_bytes")),
        gpu=optional(text, hardware.get("gpu"), ""),
        stages=tuple(_stage(name, mapping(cost)) for name, cost in stages.items() if cost),
        command=optional(text, stored.get("command"), ""),
    )


def _stage(name: str, cost: dict[str, Any]) -> StageCost:
    return StageCost(
        name=name,
        seconds=number(cost["seconds"]),
        peak_memory_bytes=optional(whole, cost.get("peak_memory_bytes")),
    )
