"""A checkpoint: a folder ``step-00001234`` of safetensors, a state and a sealed list of files; no pickle.

Written beside, flushed and renamed, so that a kill or a full disk leaves the older checkpoints whole; only then
are the oldest removed. Read by the highest step whose every byte is as it was sealed.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
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


def save_checkpoint(
    root: Path, *, step: int, parts: Mapping[str, Mapping[str, Tensor]], state: dict[str, Any], keep: int
) -> Path:
    """Write a checkpoint and remove all but the newest ``keep``. Returns its folder.

    Raises ``ValueError`` for tensors that are not finite, ``OutOfResources`` when the disk is full; the
    checkpoints that were there are then untouched.
    """
    _refuse_non_finite(parts)
    target = root / f"step-{step:08d}"
    if target.exists():
        # Only a damaged one can be in the way: a valid one would have been resumed from.
        shutil.rmtree(target)
    with atomic.atomic_directory(target) as folder:
        for name, tensors in parts.items():
            save_file({key: value.contiguous() for key, value in tensors.items()}, folder / f"{name}.safetensors")
        atomic.write_json(folder / "state.json", {"step": step, **state})
        manifest.seal(folder)
    _prune(root, keep)
    return target


def newest_checkpoint(root: Path) -> tuple[Checkpoint | None, list[str]]:
    """The valid checkpoint of the highest step, or None, and a sentence for each damaged one that was skipped."""
    notices: list[str] = []
    for step, path in sorted(_steps(root), reverse=True):
        problems = manifest.damage(path)
        if not problems:
            state = json.loads((path / "state.json").read_text(encoding="utf-8"))
            return Checkpoint(path=path, step=step, state=state), notices
        notices.append(f"checkpoint {path.name} is damaged ({problems[0]}); an older one is used instead")
    return None, notices


def require_checkpoint(root: Path) -> tuple[Checkpoint, list[str]]:
    """As ``newest_checkpoint``, but raises ``BadInput`` when there is none."""
    checkpoint, notices = newest_checkpoint(root)
    if checkpoint is None:
        detail = "; ".join(notices) or "training has not saved one yet"
        raise BadInput(f"{root} holds no usable checkpoint ({detail}); train first, or give a folder that has one")
    return checkpoint, notices


def _steps(root: Path) -> list[tuple[int, Path]]:
    if not root.is_dir():
        return []
    matches = [(STEP_NAME.fullmatch(path.name), path) for path in root.iterdir()]
    return [(int(match[1]), path) for match, path in matches if match]


def _prune(root: Path, keep: int) -> None:
    for _, path in sorted(_steps(root), reverse=True)[keep:]:
        shutil.rmtree(path, ignore_errors=True)


def _refuse_non_finite(parts: Mapping[str, Mapping[str, Tensor]]) -> None:
    for part, tensors in parts.items():
        for name, tensor in tensors.items():
            if not torch.isfinite(tensor).all():
                raise ValueError(f"{part} tensor {name} holds NaN or infinity and is not saved")
