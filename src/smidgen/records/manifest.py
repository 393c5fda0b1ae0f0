"""The list of a folder's files with length and SHA-256, so that any change of a byte is noticed."""

import json
from pathlib import Path
from typing import Any

from smidgen.records import atomic
from smidgen.records.fingerprint import sha256_of_file

FILES_NAME = "files.json"


def file_entries(folder: Path) -> dict[str, dict[str, Any]]:
    """``{relative path: {bytes, sha256}}`` of every file below ``folder`` but the list itself, sorted."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FILES_NAME)
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of_file(path)}
        for path in paths
    }


def seal(folder: Path) -> dict[str, dict[str, Any]]:
    """Write the list of a finished folder into it and return it."""
    entries = file_entries(folder)
    atomic.write_json(folder / FILES_NAME, entries)
    return entries


def damage(folder: Path) -> list[str]:
    """What is wrong with a sealed folder, one phrase per file; empty when every byte is as it was sealed.

    Files that are not in the list are not looked at.
    """
    try:
        entries = json.loads((folder / FILES_NAME).read_text(encoding="utf-8"))
        expected = {name: (entry["bytes"], entry["sha256"]) for name, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [f"{FILES_NAME} is missing or unreadable"]
    problems = []
    for name, (length, digest) in expected.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif path.stat().st_size != length:
            problems.append(f"{name} has {path.stat().st_size} bytes instead of {length}")
        elif sha256_of_file(path) != digest:
            problems.append(f"{name} has changed")
    return problems
