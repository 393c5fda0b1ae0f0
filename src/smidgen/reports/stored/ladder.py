"""``exports/*/ladder.json``: what each type of GGUF file costs, as words."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.reports.ladder import rung_words
from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, optional, plain, sequence, text


@dataclass(frozen=True, kw_only=True)
class StoredRung:
    """A file, its figures by the columns of ``rung_words``, and what became of the model in it."""

    name: str
    cells: dict[str, str]
    verdict: str
    why: str


@dataclass(frozen=True, kw_only=True)
class StoredLadder:
    weights: str
    rungs: tuple[StoredRung, ...]
    rule: str
    refused: tuple[str, ...]


def read_ladder(exports: Path) -> StoredLadder | None:
    """The first by name of the folder, ``None`` where nothing was measured."""
    return next(_ladders(exports), None)


def _ladders(exports: Path) -> Iterator[StoredLadder]:
    for path in sorted(exports.glob("*/ladder.json")):
        with damage_named(path):
            stored = read_object(path) or {}
            yield StoredLadder(
                weights=optional(text, stored.get("weights_sha256"), ""),
                rungs=tuple(_rung(mapping(rung)) for rung in sequence(stored["rungs"])),
                rule=text(stored["rule"]),
                refused=tuple(_refusal(mapping(one)) for one in sequence(stored.get("refused") or [])),
            )


def _rung(stored: dict[str, Any]) -> StoredRung:
    rung = plain(stored)
    cells = rung_words.cells(rung)
    return StoredRung(
        name=text(rung["name"]), cells=cells, verdict=text(rung["verdict"]), why=optional(text, rung.get("why"), "")
    )


def _refusal(stored: dict[str, Any]) -> str:
    return f"{text(stored['format'])}: {text(stored['reason'])}"
