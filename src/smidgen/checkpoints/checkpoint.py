"""A checkpoint: a folder ``step-00001234`` of safetensors, a state and a sealed list of files; no pickle.

Written beside, flushed and renamed, so that a kill or a full disk leaves the older checkpoints whole; only then
are the oldest removed. Read by the highest step whose every byte is as it was sealed.
"""

import json
import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from safetensors.torch import save as as_safetensors
from torch import Tensor

from smidgen.errors import BadInput
from smidgen.records import atomic, manifest

STEP_NAME = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint folder. ``state`` is plain data; tensors are read on request."""

    path: Path
    step: int
    state: dict[str, Any]

    def tensors(self, part: str) -> dict[str, Tensor]:
        """The tensors saved under a name, such as "model" or "optimizer"."""
        return load_file(self.path / f"{part}.safetensors")

    @property
    def weights_path(self) -> Path:
        """The weights to evaluate and export: averaged ones where training made them, else the last ones."""
        average = self.path / "average.safetensors"
        return average if average.is_file() else self.path / "model.safetensors"


def save_checkpoint(
    root: Path,
    *,
    step: int,
    parts: Mapping[str, Mapping[str, Tensor]],
    state: dict[str, Any],
    keep: int,
    also_keep: Collection[int] = (),
) -> Path:
    """Write a checkpoint and remove those older than the newest ``keep`` valid ones. Returns its folder.

    Checkpoints of the steps ``also_keep`` stay besides.

    Raises ``ValueError`` for tensors that are not finite, ``OutOfResources`` when the disk is full; the
    checkpoints that were there are then untouched.
    """
    _refuse_non_finite(parts)
    target = root / _name(step)
    if target.exists():
        # Only a damaged one can be in the way: a valid one would have been resumed from.
        shutil.rmtree(target)
    with atomic.atomic_directory(target) as folder:
        for name, tensors in parts.items():
            content = as_safetensors({key: value.contiguous() for key, value in tensors.items()})
            # safetensors would write the file too, but its errors do not say that the disk is full.
            (folder / f"{name}.safetensors").write_bytes(content)
        atomic.write_json(folder / "state.json", {"step": step, **state})
        manifest.seal(folder)
    _prune(root, keep, also_keep)
    atomic.sweep(root)
    return target


def newest_checkpoint(root: Path) -> tuple[Checkpoint | None, list[str]]:
    """The valid checkpoint of the highest step, or None, and a sentence for each damaged one that was skipped."""
    notices: list[str] = []
    for step, path in sorted(_steps(root), reverse=True):
        problems = manifest.damage(path)
        if not problems:
            return _opened(path, step), notices
        notices.append(f"checkpoint {path.name} is damaged ({problems[0]}); an older one is used instead")
    return None, notices


def step_of(path: Path) -> int | None:
    """The step that a checkpoint's folder is named for, None for any other name."""
    match = STEP_NAME.fullmatch(path.name)
    return int(match[1]) if match else None


def valid_checkpoint(root: Path, step: int) -> Checkpoint | None:
    """The checkpoint of a step, None when it is missing or damaged."""
    path = root / _name(step)
    if not path.is_dir() or manifest.damage(path):
        return None
    return _opened(path, step)


def require_checkpoint(root: Path) -> tuple[Checkpoint, list[str]]:
    """As ``newest_checkpoint``, but raises ``BadInput`` when there is none."""
    checkpoint, notices = newest_checkpoint(root)
    if checkpoint is None:
        detail = "; ".join(notices) or "training has not saved one yet"
        raise BadInput(f"{root} holds no usable checkpoint ({detail}); train first, or give a folder that has one")
    return checkpoint, notices


def _opened(path: Path, step: int) -> Checkpoint:
    return Checkpoint(path=path, step=step, state=json.loads((path / "state.json").read_text(encoding="utf-8")))


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _steps(root: Path) -> list[tuple[int, Path]]:
    if not root.is_dir():
        return []
    return [(step, path) for path in root.iterdir() if (step := step_of(path)) is not None]


def _prune(root: Path, keep: int, also_keep: Collection[int]) -> None:
    valid = 0
    for step, path in sorted(_steps(root), reverse=True):
        if valid == keep:
            if step not in also_keep:
                shutil.rmtree(path, ignore_errors=True)
        # A damaged one must not take the place of one that can be resumed from.
        elif not manifest.damage(path):
            valid += 1


def _refuse_non_finite(parts: Mapping[str, Mapping[str, Tensor]]) -> None:
    for part, tensors in parts.items():
        for name, tensor in tensors.items():
            if not torch.isfinite(tensor).all():
                raise ValueError(f"{part} tensor {name} holds NaN or infinity and is not saved")
