"""The numbers of a measurement by name, as dashboards draw them."""

from collections.abc import Iterator
from typing import Any

from smidgen.records import measurements

# What every record carries: the axes of a dashboard, and no curves.
_AXES = ("kind", "step", "tokens", "seconds")


def scalars(record: dict[str, Any]) -> dict[str, float]:
    """``training/loss``, ``held_out/by_source/NAME``, ``statistics/layers.0/update_ratio`` and so on."""
    kind = record["kind"]
    values: Any = {name: value for name, value in record.items() if name not in _AXES}
    if kind == measurements.EVALUATION:
        values = record["scores"]
    elif kind == measurements.STATISTICS:
        values = {part["name"]: part for part in record["parts"]}
    return {f"{kind}/{name}": value for name, value in _numbers(values, ())}


def _numbers(values: Any, path: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    if isinstance(values, dict):
        for name, value in values.items():
            # A score is drawn where its value lies.
            yield from _numbers(value, path if name == "value" else (*path, name))
    elif isinstance(values, (int, float)) and not isinstance(values, bool):
        yield "/".join(path), float(values)
