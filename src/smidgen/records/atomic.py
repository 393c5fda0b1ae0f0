"""Writing so that a kill, crash or full disk leaves either the old content or the new, never a half.

The order of steps is that of reliability notes on crash consistency: write beside, flush the files to the disk,
rename, flush the parent directory.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smidgen.errors import OutOfResources

# Marks what an interrupted write left behind; such names are never read and are swept away by the next write.
TEMPORARY_PREFIX = ".unfinished-"
# The disk, a quota, or the limit on the size of a file (`ulimit -f`).
DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_directory(target: Path) -> Iterator[Path]:
    """Yield an empty directory that becomes ``target`` when the block ends without an error.

    Raises ``FileExistsError`` when ``target`` exists, ``OutOfResources`` when the disk is full.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists already")
    make_directories(target.parent)
    sweep(target.parent, target.name)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}{target.name}-", dir=target.parent))
    try:
        with disk_errors(target):
            yield unfinished
            for file in sorted(path for path in unfinished.rglob("*") if path.is_file()):
                flush_to_disk(file)
            flush_to_disk(unfinished)
            unfinished.chmod(0o755)
            unfinished.rename(target)
            flush_to_disk(target.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file's content in one step."""
    make_directories(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=f"{TEMPORARY_PREFIX}{path.name}-", dir=path.parent)
    unfinished = Path(name)
    try:
        with disk_errors(path):
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.chmod(0o644)
            unfinished.replace(path)
            flush_to_disk(path.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode())


def write_json(path: Path, value: Any) -> None:
    """Replace a file by readable JSON. Raises ``ValueError`` on NaN and infinity, which JSON cannot hold."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def make_directories(path: Path) -> None:
    """Make a directory and those above it, each flushed into its parent, with which all inside would be lost."""
    if path.is_dir():
        return
    make_directories(path.parent)
    path.mkdir(exist_ok=True)
    flush_to_disk(path.parent)


def sweep(parent: Path, name: str = "") -> None:
    """Remove what interrupted writes of directories left in ``parent``: of ``name``, or of all."""
    for leftover in parent.glob(f"{TEMPORARY_PREFIX}{name}-*" if name else f"{TEMPORARY_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def flush_to_disk(path: Path) -> None:
    """Make a file's or directory's content survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(target: Path) -> Iterator[None]:
    """Turn "no space left" into a sentence with the exit code for resources."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_IS_FULL:
            raise OutOfResources(
                f"no space left on the disk while writing {target}; what was there before is intact: "
                "free some space and repeat the command to go on"
            ) from error
        raise
