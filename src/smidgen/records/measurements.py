"""``measurements.jsonl``: what a run measured, one JSON object a line, appended as it happens."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from smidgen.records.atomic import disk_errors

# Kinds of lines. "training" carries step, tokens, seconds, loss (mean nats per token since the last line),
# learning_rate, gradient_norm, tokens_per_second, fraction_of_peak, peak_memory_bytes and, on a GPU, its
# gpu_memory_bytes; "held_out" carries step, tokens, seconds, bits_per_byte and by_source; "evaluation" likewise
# scores, baselines and what was skipped, by task; "samples" likewise samples (as in samples.json) and loop_share;
# "statistics" likewise parts, one object for each part of the model (training/layer_statistics.py); "event" carries a
# message.
TRAINING, HELD_OUT, EVENT = "training", "held_out", "event"
EVALUATION, SAMPLES, STATISTICS = "evaluation", "samples", "statistics"


def append(path: Path, kind: str, **values: Any) -> None:
    """Add one line. Raises ``ValueError`` for NaN and infinity, which must be decided on before,
    ``OutOfResources`` when the disk is full: what was written of the line then is ignored by readers.
    """
    line = json.dumps({"kind": kind, **values}, allow_nan=False).encode() + b"\n"
    with disk_errors(path), path.open("ab+") as file:
        file.write(line if _ends_whole(file) else b"\n" + line)


def read(path: Path, kind: str) -> list[dict[str, Any]]:
    """All lines of a kind in rising order of step.

    Where a resumed run measured a step again, its newest line stands; events are all kept. A line that a kill cut
    short is ignored.
    """
    return read_all(path).get(kind, [])


def read_all(path: Path) -> dict[str, list[dict[str, Any]]]:
    """By kind what ``read`` gives for it."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for line in _parsed(path):
        kinds.setdefault(str(line.get("kind")), []).append(line)
    return {kind: lines if kind == EVENT else _newest(lines) for kind, lines in kinds.items()}


def _newest(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_step = {line["step"]: line for line in lines}
    return [by_step[step] for step in sorted(by_step)]


def _ends_whole(file: IO[bytes]) -> bool:
    """Whether the file is empty or its last line is finished."""
    if file.tell() == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _parsed(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("step"), int):
            yield line
