"""``exports/*.json``: what was written for others to load, and the proof that it says the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, numbers, optional, sequence, text, whole


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Export:
    """``refused`` holds formats that cannot carry this model, with the reason."""

    format: str
    kind: str
    files: tuple[ExportedFile, ...]
    parity: dict[str, float]
    notes: tuple[str, ...]
    refused: dict[str, str]

    @property
    def needs_remote_code(self) -> bool:
        return self.kind == "remote code"


def read_exports(folder: Path) -> tuple[Export, ...]:
    return tuple(_read(path) for path in sorted(folder.glob("*.json")))


def _read(path: Path) -> Export:
    with damage_named(path):
        stored = read_object(path) or {}
        refused = [mapping(refusal) for refusal in sequence(stored.get("refused") or [])]
        return Export(
            format=text(stored["format"]),
            kind=optional(text, stored.get("kind"), ""),
            files=tuple(_file(mapping(file)) for file in sequence(stored.get("files") or [])),
            parity=numbers(stored.get("parity") or {}),
            notes=tuple(text(note) for note in sequence(stored.get("notes") or [])),
            refused={text(refusal["format"]): text(refusal["reason"]) for refusal in refused},
        )


def _file(file: dict[str, Any]) -> ExportedFile:
    return ExportedFile(
        name=text(file["name"]), bytes=whole(file["bytes"]), sha256=optional(text, file.get("sha256"), "")
    )
