"""What takes the measurements of a run while it goes on, and which ones can be asked for by name."""

from collections.abc import Sequence
from typing import Any, Protocol

from smidgen.errors import BadInput
from smidgen.recipes.keys import suggestion

NAMES = ("tensorboard", "trackio")


class Sink(Protocol):
    """Takes records as they stand in ``measurements.jsonl``, one after the other; it may raise and it may hang."""

    def write(self, record: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


def require_known(names: Sequence[str]) -> None:
    """Raise ``BadInput`` for a name that stands for no sink."""
    unknown = next((name for name in names if name not in NAMES), None)
    if unknown is not None:
        raise BadInput(f"--sink {unknown} is unknown; {suggestion(unknown, NAMES)}")
