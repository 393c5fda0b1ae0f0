"""Reading JSON that a run wrote: what cannot be understood becomes one sentence that names the file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from smidgen.errors import BadInput


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn any misfit found while reading ``path`` into ``BadInput``."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise BadInput(
            f"{path} is damaged or of another version ({reason}); repeat the stage that wrote it, "
            "or remove the file to report on the rest"
        ) from error


def read_object(path: Path) -> dict[str, Any] | None:
    """The object in a file, ``None`` where there is no such file. Meant to stand inside ``damage_named``."""
    if not path.is_file():
        return None
    value = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    if not isinstance(value, dict):
        raise TypeError("expected one JSON object")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
