"""A file of a source, on this machine or on the hub, as it was when the source was listed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from smidgen.errors import BadInput

# How the client of the hub writes the place of a file, with the commit: hf://datasets/OWNER/NAME@COMMIT/PATH.
HUB_PREFIX = "hf://datasets/"


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """``name`` stands in the ids of its documents; ``version`` is another one once the content has changed.

    ``location`` is an absolute path or an address of the hub. The version is the time of the last change in
    nanoseconds, on the hub the hash of the content.
    """

    name: str
    location: str
    size_bytes: int
    version: str

    @property
    def is_remote(self) -> bool:
        return self.location.startswith(HUB_PREFIX)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open the file for reading at any position.

        Raises ``BadInput`` when it cannot be read or has changed since it was listed, ``OutOfResources`` when the
        hub does not answer.
        """
        if self.is_remote:
            from smidgen.data.hub.remote_file import open_remote

            with open_remote(self.location, self.size_bytes, self.version) as stream:
                yield stream
            return
        try:
            with open(self.location, "rb") as stream:
                if _version(os.fstat(stream.fileno())) != (self.size_bytes, self.version):
                    raise BadInput(
                        f"{self.location} has changed since this build began; put the old file back, or begin anew"
                    )
                yield stream
        except OSError as error:
            raise unreadable(self.location, error) from error


def local_file(name: str, path: Path) -> StoredFile:
    """A file of this machine as it is now. Raises ``BadInput`` when it cannot be read."""
    location = os.path.abspath(path)
    try:
        size_bytes, version = _version(os.stat(location))
    except OSError as error:
        raise unreadable(location, error) from error
    return StoredFile(name=name, location=location, size_bytes=size_bytes, version=version)


def unreadable(location: str, error: OSError) -> BadInput:
    return BadInput(f"{location} cannot be read: {error.strerror or error}")


def _version(status: os.stat_result) -> tuple[int, str]:
    return status.st_size, str(status.st_mtime_ns)
