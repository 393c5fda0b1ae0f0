"""``measurements.jsonl``: what a run measured, one JSON object a line, appended as it happens."""

import json
import math
from pathlib import Path
from typing import Any

# Kinds of lines. "training" carries step, tokens, seconds, loss (mean nats per token since the last line),
# learning_rate, gradient_norm, tokens_per_second; "held_out" carries step, tokens, seconds, bits_per_byte and
# by_source; "event" carries a message.
TRAINING, HELD_OUT, EVENT = "training", "held_out", "event"


def append(path: Path, kind: str, **values: Any) -> None:
    """Add one line. Raises ``ValueError`` for NaN and infinity, which must be decided on before."""
    line = json.dumps({"kind": kind, **values}, allow_nan=False)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def read(path: Path, kind: str) -> list[dict[str, Any]]:
    """All lines of a kind in rising order of step; where a resumed run repeated a step, the newest line.

    A last line that a kill cut short is ignored.
    """
    by_step: dict[Any, dict[str, Any]] = {}
    if not path.exists():
        return []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines()):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and line.get("kind") == kind:
            by_step[line.get("step", -number)] = line
    return [by_step[step] for step in sorted(by_step, key=lambda step: (step, math.inf))]
