"""Where results go: one JSON object on stdout for programs, tables for people."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 120


def print_json(value: dict[str, Any]) -> None:
    """The one object that ``--json`` promises."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False, default=str) + "\n")


def console(*, as_json: bool) -> Console:
    """For people: stdout, unless a JSON object has to stand there alone."""
    made = Console(stderr=as_json, highlight=False)
    # A pipe or log file has no width of its own, and rich would cut tables to 80 columns.
    return made if made.is_terminal else Console(stderr=as_json, highlight=False, width=WIDTH_WITHOUT_TERMINAL)


def table(*columns: str) -> Table:
    """A calm table: first column left, figures right."""
    result = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        result.add_column(column, justify="left" if number == 0 else "right", header_style="dim")
    return result
