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

    Every sealed folder counts, those that links lead to included, and the list in the ``manifest.json`` of every run.
    A file in both is counted once.
    """
    sealed = {file.parent: read_record(file) or {FILES_NAME: {}} for file in _reached(path, FILES_NAME)}
    runs = {file.parent: read_record(file).get("files", {}) for file in _reached(path, RUN_MANIFEST_NAME)}
    lists = [*sealed.items(), *runs.items()]
    checked = {folder / name for folder, entries in lists for name in entries}
    problems = [
        f"{(folder / problem).relative_to(path)}" for folder, entries in lists for problem in changes(folder, entries)
    ]
    lost = [
        f"{link.relative_to(path)} leads to {link.readlink()}, which is missing" for link in _links(path, lost=True)
    ]
    return len(checked), list(dict.fromkeys([*lost, *problems]))


def _reached(path: Path, name: str) -> list[Path]:
    """All files of a name in and below a folder and, where links lead out of it, there too."""
    outside = [link for link in _links(path) if not link.resolve().is_relative_to(path.resolve())]
    return sorted(file for folder in (path, *outside) for file in folder.rglob(name))


def _links(path: Path, *, lost: bool = False) -> list[Path]:
    """The links to folders below one, or those that lead nowhere."""
    links = [link for link in path.rglob("*") if link.is_symlink()]
    return [link for link in links if (not link.exists() if lost else link.is_dir())]


def read_record(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none, so that what it recorded is made again."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
