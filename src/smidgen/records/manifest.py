"""The list of a folder's files with length and SHA-256, so that any change of a byte is noticed."""

import json
from pathlib import Path
from typing import Any

from smidgen.records import atomic
from smidgen.records.fingerprint import sha256_of_file

FILES_NAME = "files.json"
RUN_MANIFEST_NAME = "manifest.json"


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
    entries = read_record(folder / FILES_NAME)
    return changes(folder, entries) if entries else [f"{FILES_NAME} is missing or unreadable"]


def changes(folder: Path, entries: dict[str, Any]) -> list[str]:
    """How the files below ``folder`` differ from their entries, one phrase per file."""
    try:
        expected = {name: (entry["bytes"], entry["sha256"]) for name, entry in entries.items()}
    except (KeyError, TypeError):
        return ["the list of files is unreadable"]
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


def verify_tree(path: Path) -> tuple[int, list[str]]:
    """How many recorded files lie in and below a folder, and what is wrong with them.

    Every sealed folder counts, and the list in a run's ``manifest.json``. A file in both is counted once.
    """
    lists = {folder.parent: read_record(folder) for folder in sorted(path.rglob(FILES_NAME))}
    lists = {folder: entries or {FILES_NAME: {}} for folder, entries in lists.items()}
    run_files = read_record(path / RUN_MANIFEST_NAME).get("files", {})
    checked = {folder / name for folder, entries in lists.items() for name in entries}
    checked |= {path / name for name in run_files}
    problems = [
        f"{(folder / problem).relative_to(path)}"
        for folder, entries in [*lists.items(), (path, run_files)]
        for problem in changes(folder, entries)
    ]
    return len(checked), list(dict.fromkeys(problems))


def read_record(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none, so that what it recorded is made again."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
