"""The kinds of values that JSON files of a run hold. Each raises ``TypeError`` or ``ValueError`` on another kind."""

import math
import re
from typing import Any

# Not allowed in XML, or moves the text around it: control characters but tab and line feed, lone surrogates (which
# UTF-8 cannot hold either), separators that YAML takes for line breaks, bidirectional overrides, noncharacters.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)


def text(value: Any) -> str:
    """A string that any file format can carry; characters that none can show become U+FFFD."""
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {value!r:.40}")
    return _UNPRINTABLE.sub("\ufffd", value.replace("\r\n", "\n"))


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(f"expected a number, found {value!r:.40}")
    return value


def whole(value: Any) -> int:
    if number(value) != int(value):
        raise TypeError(f"expected a whole number, found {value!r:.40}")
    return int(value)


def tally(value: Any) -> int:
    """How many: a whole number, or the length of a list of the cases."""
    return len(value) if isinstance(value, (list, dict)) else whole(value)


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object with printable keys."""
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, found {value!r:.40}")
    return {text(key): item for key, item in value.items()}


def sequence(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, found {value!r:.40}")
    return value


def numbers(value: Any) -> dict[str, float]:
    """An object whose values are all numbers; those that are null are left out."""
    return {key: number(item) for key, item in mapping(value).items() if item is not None}


def plain(value: Any) -> Any:
    """Any JSON value, with every text in it printable."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {text(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def optional(kind: Any, value: Any, default: Any = None) -> Any:
    """``kind(value)``, or the default where the value is null or absent."""
    return default if value is None else kind(value)
