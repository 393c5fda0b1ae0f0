"""Plain data checked against a tree of dataclasses, with one sentence for what is wrong."""

import re
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from smidgen.errors import BadInput
from smidgen.recipes import keys

Schema = TypeVar("Schema")


def validated(schema: type[Schema], content: dict[str, Any], *, origin: str) -> Schema:
    """The dataclass from plain data; ``origin`` names the data in messages. Raises ``BadInput``."""
    try:
        return TypeAdapter(schema).validate_python(content, extra="forbid")
    except ValidationError as error:
        raise BadInput(f"{origin}: {_first_problem(schema, error)}") from error


def _first_problem(schema: type, error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        text = f"unknown key {key}; {keys.nearest_key(schema, first['loc'])}"
    elif first["type"] == "missing":
        text = f"{key} is missing"
    elif first["type"] == "value_error":
        text = f"{key}: {first['ctx']['error']}" if key else str(first["ctx"]["error"])
    elif first["type"] == "literal_error" and isinstance(first["input"], str):
        known = re.findall(r"'([^']*)'", first["ctx"]["expected"])
        text = f"{key} knows no {first['input']!r}; {keys.suggestion(first['input'], known)}"
    else:
        text = f"{key}={first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"
    return text if len(problems) == 1 else f"{text} (and {len(problems) - 1} more)"
