"""The numbers that stored blocks stand for."""

import numpy as np
import torch
from torch import Tensor

from smidgen.checkpoints.gguf.container import GGUFFile
from smidgen.errors import BadInput

_PLAIN = {"F32": np.float32, "F16": np.float16}


def tensor_of(file: GGUFFile, name: str) -> Tensor:
    """A tensor in float32. Raises ``BadInput`` for numbers that are not finite, and without the gguf package."""
    stored = file.tensors[name]
    values = torch.from_numpy(_values(file.numbers(name), stored.kind).reshape(stored.shape))
    if not torch.isfinite(values).all():
        raise BadInput(f"{file.path}: tensor {name} holds NaN or infinity; the file is damaged or its model diverged")
    return values


def _values(content: bytes, kind: str) -> np.ndarray:
    if kind in _PLAIN:
        # Written to by nobody, but torch asks for memory that could be.
        return np.frombuffer(content, _PLAIN[kind]).astype(np.float32)
    if kind == "Q1_0":
        return _signs(content)
    try:
        from gguf import GGMLQuantizationType, quants
    except ModuleNotFoundError as error:
        raise BadInput(
            f'numbers of the type {kind} are read by the gguf package; pip install "smidgen[gguf]"'
        ) from error
    # The scales of a damaged file may overflow; the result is looked at by whoever asked.
    with np.errstate(all="ignore"):
        blocks = np.frombuffer(content, np.uint8)
        return np.ascontiguousarray(quants.dequantize(blocks, GGMLQuantizationType[kind]), np.float32)


def _signs(content: bytes) -> np.ndarray:
    """Q1_0: a scale in float16, then 128 signs, the lowest bit first (block_q1_0 in ggml-common.h)."""
    blocks = np.frombuffer(content, np.dtype([("scale", "<f2"), ("signs", "u1", 16)]))
    bits = np.unpackbits(blocks["signs"], axis=1, bitorder="little")
    with np.errstate(all="ignore"):
        return (blocks["scale"].astype(np.float32)[:, None] * (2 * bits.astype(np.float32) - 1)).reshape(-1)
