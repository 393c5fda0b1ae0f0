"""Which files on this machine a source means: text, Markdown, JSON lines (plain, zstd, gzip) and parquet."""

import glob
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from smidgen.data.stored_file import StoredFile, local_file
from smidgen.errors import BadInput

ENDINGS = (".txt", ".md", ".jsonl", ".jsonl.zst", ".jsonl.gz", ".parquet")


def local_files(paths: Sequence[str]) -> list[StoredFile]:
    """The files that ``paths`` mean, as they are now, each named relative to the folder or pattern given.

    Raises ``BadInput`` as `matching_files` does.
    """
    return [local_file(name, path) for name, path in matching_files(paths)]


def matching_files(paths: Sequence[str]) -> list[tuple[str, Path]]:
    """The files that ``paths`` mean, each once, as (name below the folder or pattern, path).

    Folders and patterns are searched to any depth, hidden files and unknown endings left out.
    Raises ``BadInput`` for a path that means no file and for a file of an unknown ending.
    """
    found: dict[Path, tuple[str, Path]] = {}
    for path in paths:
        for name, file in _matches(os.path.expanduser(path)):
            found.setdefault(file.resolve(), (name, file))
    if not found:
        raise BadInput(f"no file was named; give a file, folder or pattern with one of {_known_endings()}")
    return list(found.values())


def _matches(path: str) -> list[tuple[str, Path]]:
    if os.path.isdir(path):
        return _files_below(Path(path))
    if os.path.isfile(path):
        if not _is_known(path):
            raise BadInput(f"{path} has an unknown ending; known are {_known_endings()}")
        return [(Path(path).name, Path(path))]
    if _is_pattern(path):
        return _files_matching(path)
    what = "is neither a file nor a folder" if os.path.lexists(path) else "does not exist"
    raise BadInput(f"{path} {what}; give a file, folder or pattern with one of {_known_endings()}")


def _files_below(folder: Path) -> list[tuple[str, Path]]:
    paths = [
        Path(parent, file)
        for parent, folders, files in os.walk(folder)
        if _keep_visible(folders)
        for file in files
        if not file.startswith(".")
    ]
    return _named(paths, folder, f"the folder {folder} holds no file")


def _keep_visible(folders: list[str]) -> bool:
    folders[:] = [folder for folder in folders if not folder.startswith(".")]
    return True


def _files_matching(pattern: str) -> list[tuple[str, Path]]:
    parts = Path(pattern).parts
    fixed = Path(*itertools.takewhile(lambda part: not _is_pattern(part), parts))
    paths = [Path(match) for match in glob.glob(pattern, recursive=True) if os.path.isfile(match)]
    return _named(paths, fixed, f"the pattern {pattern} matches no file")


def _named(paths: Iterable[Path], folder: Path, complaint: str) -> list[tuple[str, Path]]:
    known = [(path.relative_to(folder).as_posix(), path) for path in paths if _is_known(path.name)]
    if not known:
        raise BadInput(f"{complaint} of a known ending; known are {_known_endings()}")
    return sorted(known)


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[")


def _is_known(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _known_endings() -> str:
    return ", ".join(ENDINGS)
