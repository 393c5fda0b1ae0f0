"""A document of a benchmark, whose fields are checked for their kind when they are asked for."""

import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

LONE_SURROGATE = re.compile("[\\ud800-\\udfff]")


@dataclass(frozen=True, slots=True)
class Row:
    """Named fields; each method raises ``ValueError`` for a field that is missing or of another kind."""

    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        value = self._value(name)
        return value if _is_text(value) else _refuse(name, value, "text")

    def texts(self, name: str) -> list[str]:
        value = self._value(name)
        is_right = isinstance(value, list) and all(map(_is_text, value))
        return value if is_right else _refuse(name, value, "a list of texts")

    def number(self, name: str) -> int:
        """A whole number, also when written as text (HellaSwag's labels)."""
        value = self._value(name)
        is_right = isinstance(value, int) or (isinstance(value, str) and value.isdecimal())
        return int(value) if is_right else _refuse(name, value, "a whole number")

    def numbers(self, name: str) -> list[int]:
        value = self._value(name)
        is_right = isinstance(value, list) and all(isinstance(entry, int) for entry in value)
        return value if is_right else _refuse(name, value, "a list of whole numbers")

    def record(self, name: str) -> "Row":
        """Fields inside a field."""
        value = self._value(name)
        return Row(value) if isinstance(value, dict) else _refuse(name, value, "an object")

    def _value(self, name: str) -> Any:
        if name not in self.fields:
            raise ValueError(f'field "{name}" is missing; there are {", ".join(map(str, self.fields)) or "none"}')
        return self.fields[name]


def place(answer: str, known: Sequence[str]) -> int:
    """Index of an answer among those known. Raises ``ValueError`` when it is none of them."""
    if answer not in tuple(known):
        raise ValueError(f"the answer is {reprlib.repr(answer)}, expected one of {', '.join(known)}")
    return tuple(known).index(answer)


def _is_text(value: Any) -> bool:
    """JSON can hold half of a surrogate pair, which no tokenizer can encode."""
    return isinstance(value, str) and not LONE_SURROGATE.search(value)


def _refuse(name: str, value: Any, expected: str) -> NoReturn:
    raise ValueError(f'field "{name}" holds {reprlib.repr(value)} instead of {expected}')
