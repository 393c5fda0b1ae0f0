"""The names a recipe may use, and the one nearest to a name it may not."""

import difflib
import typing
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any


def suggestion(name: str, known: Sequence[str]) -> str:
    """Which known name was probably meant, and where there is none, all of them."""
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


def nearest_key(schema: type, location: Sequence[str | int]) -> str:
    """The right key for an unknown one: first among its neighbours, then by its last word anywhere."""
    *parents, last = (str(part) for part in location)
    neighbours = list(_names_at(schema, parents))
    close = difflib.get_close_matches(last, neighbours, n=1, cutoff=0.6)
    if close:
        return f"did you mean {'.'.join([*parents, close[0]])}?"
    everywhere = list(dotted_keys(schema))
    elsewhere = [key for key in everywhere if key.rpartition(".")[2] == last]
    elsewhere += difflib.get_close_matches(".".join([*parents, last]), everywhere, n=1, cutoff=0.6)
    if elsewhere:
        return f"did you mean {elsewhere[0]}?"
    return f"known here are {', '.join(neighbours)}"


def dotted_keys(schema: type, prefix: str = "") -> Iterator[str]:
    """Every key of a tree of dataclasses, parents first; entries of a named table appear as NAME."""
    for name, annotation in _annotations(schema).items():
        yield f"{prefix}{name}"
        child, entry = _child_schema(annotation)
        if child is not None:
            yield from dotted_keys(child, f"{prefix}{name}.{entry}")


def _names_at(schema: type, parents: Sequence[str]) -> list[str]:
    remaining = list(parents)
    while remaining:
        child, entry = _child_schema(_annotations(schema).get(remaining.pop(0)))
        if child is None:
            return []
        if entry and remaining:
            remaining.pop(0)
        schema = child
    return list(_annotations(schema))


def _annotations(schema: type) -> dict[str, Any]:
    hints = typing.get_type_hints(schema)
    return {field.name: hints[field.name] for field in fields(schema)}


def _child_schema(annotation: Any) -> tuple[type | None, str]:
    """The dataclass below an annotation, and ``NAME.`` when it stands in a table or list of named entries."""
    if is_dataclass(annotation) and isinstance(annotation, type):
        return annotation, ""
    for argument in typing.get_args(annotation):
        if is_dataclass(argument) and isinstance(argument, type):
            return argument, "" if type(None) in typing.get_args(annotation) else "NAME."
    return None, ""
