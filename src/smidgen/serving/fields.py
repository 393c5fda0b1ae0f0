"""The fields of a JSON object, taken one by one with their types and limits."""

import difflib
import math
from collections.abc import Mapping
from typing import Any

from smidgen.serving.refusal import Refusal

SHOWN = 60


class Fields:
    """Raises ``Refusal`` with one sentence for a field of the wrong type or out of range. null means "not given"."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}
        self._asked: set[str] = set()

    def any(self, name: str) -> Any:
        """The value as it is; None where it is not given."""
        self._asked.add(name)
        return self._values.get(name)

    def flag(self, name: str) -> bool:
        value = self.any(name)
        if value is not None and not isinstance(value, bool):
            raise wrong(name, value, "true or false")
        return bool(value)

    def text(self, name: str) -> str | None:
        value = self.any(name)
        if value is not None and not isinstance(value, str):
            raise wrong(name, value, "a string")
        return value

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self.any(name)
        if value is not None and not (is_whole(value) and low <= value <= high):
            raise wrong(name, value, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        value = self.any(name)
        if value is not None and not (is_number(value) and low <= value <= high):
            raise wrong(name, value, f"a number from {low:g} to {high:g}")
        return None if value is None else float(value)

    def refuse_others(self) -> None:
        """Refuse what nobody asked for, with the nearest name that is known."""
        for name in self._values:
            if name in self._asked:
                continue
            near = difflib.get_close_matches(name[:SHOWN], sorted(self._asked), n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(self._asked))}"
            raise Refusal(f"{quoted(name)} is no field of this request; {hint}", param=name[:SHOWN])


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not _is_infinite(value)


def _is_infinite(value: float) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def wrong(name: str, value: Any, expected: str) -> Refusal:
    """What is said about a field that cannot be used."""
    return Refusal(f"{name} is {quoted(value)}, but must be {expected}", param=name)


def quoted(value: Any) -> str:
    """A value of a client in a message: short, and without anything that could steer a terminal."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if is_whole(value) and abs(value) > 10**SHOWN:
        return "an enormous number"
    shown = ascii(value)
    return shown if len(shown) <= SHOWN else shown[:SHOWN] + "..."
