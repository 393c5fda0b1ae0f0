"""Findings as lines of JSON."""

import json
from pathlib import Path
from typing import Any, TextIO


class Listed:
    """A file of JSON lines that exists once there is a line."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def write(self, record: dict[str, Any]) -> None:
        if self._path is None:
            return
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
        # Names of files may be no UTF-8, which only an escape can carry.
        print(json.dumps(record), file=self._file)

    def __enter__(self) -> "Listed":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
