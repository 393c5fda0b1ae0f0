"""Holds tensors to the axes that their names promise.

A local variable ``x_BTC`` must be a tensor of three axes, and a letter must stand for one size throughout a call.
``1`` promises an axis of size one. A batch of one may stand for any batch, because it is broadcast.

Checkers at run time would break ``torch.compile(fullgraph=True)``; looking on from a test does not.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import torch

AXES = re.compile(r"_([A-Z1]+)$")
BROADCAST = "B"


def tensors_with_axes(variables: dict[str, object]) -> dict[str, torch.Tensor]:
    return {name: value for name, value in variables.items() if AXES.search(name) and isinstance(value, torch.Tensor)}


def lies(variables: dict[str, object]) -> list[str]:
    """A sentence for each tensor whose shape is not what its name, or another name, promises."""
    found = []
    sizes = {"1": (1, "its name")}
    for name, tensor in tensors_with_axes(variables).items():
        axes = AXES.search(name)[1]
        if len(axes) != tensor.ndim:
            found.append(f"{name} promises {len(axes)} axes but has the shape {tuple(tensor.shape)}")
            continue
        for axis, size in zip(axes, tensor.shape, strict=True):
            if axis == BROADCAST and size == 1:
                continue
            promised, witness = sizes.setdefault(axis, (size, name))
            if size != promised:
                found.append(f"{name} has {size} along {axis}, but {witness} says {promised}")
    return found


@contextmanager
def shape_names_checked(path: Path) -> Iterator[set[str]]:
    """Check each function in the file or folder ``path`` as it returns; yields the set of names seen so far."""
    seen: set[str] = set()
    found: list[str] = []

    def on_event(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and Path(frame.f_code.co_filename).is_relative_to(path):
            seen.update(tensors_with_axes(frame.f_locals))
            found.extend(f"{frame.f_code.co_qualname}: {lie}" for lie in lies(frame.f_locals))

    sys.setprofile(on_event)
    try:
        yield seen
    finally:
        sys.setprofile(None)
    assert not found, "\n".join(sorted(set(found)))
