"""Numbers in blocks of few bits: in Python where the gguf package can, else by the quantiser of llama.cpp itself."""

import ctypes
import importlib.util
from functools import cache
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, quants

from smidgen.design.gguf.blocks import FLOATS, bytes_of
from smidgen.errors import BadInput

# What the gguf package quantises as llama.cpp does, to the bit (tests/export/gguf/test_quantiser.py).
IN_PYTHON = (*FLOATS, "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "TQ2_0", "TQ1_0")


def quantise(rows: np.ndarray, kind: str, importance: np.ndarray | None = None) -> np.ndarray:
    """Rows of float32 as rows of bytes, (N, C) -> (N, bytes); F32 and F16 keep their shape.

    ``importance`` (C,) weighs the error of each column, for types that can use it. Raises ``BadInput`` where
    llama.cpp is needed and missing.
    """
    if kind == "F32":
        return rows
    if kind in IN_PYTHON and (kind in FLOATS or importance is None):
        return quants.quantize(rows, GGMLQuantizationType[kind])
    return _by_llama_cpp(np.ascontiguousarray(rows, np.float32), kind, importance)


def has_llama_cpp() -> bool:
    """Whether types can be written that Python alone cannot."""
    return importlib.util.find_spec("xllamacpp") is not None


def _by_llama_cpp(rows: np.ndarray, kind: str, importance: np.ndarray | None) -> np.ndarray:
    count, columns = rows.shape
    made = np.zeros((count, bytes_of(kind, columns)), np.uint8)
    weights = None if importance is None else np.ascontiguousarray(importance, np.float32)
    written = _library().ggml_quantize_chunk(
        GGMLQuantizationType[kind].value,
        rows.ctypes.data,
        made.ctypes.data,
        0,
        count,
        columns,
        None if weights is None else weights.ctypes.data,
    )
    assert written == made.nbytes, f"{kind}: llama.cpp wrote {written} bytes instead of {made.nbytes}"
    return made


@cache
def _library() -> Any:
    """llama.cpp as xllamacpp brings it along, asked for one function of its C interface (ggml.h)."""
    if not has_llama_cpp():
        raise BadInput('this type is made by llama.cpp, which is missing; pip install "smidgen[gguf]"')
    spec = importlib.util.find_spec("xllamacpp.xllamacpp")
    assert spec is not None
    assert spec.origin is not None
    library = ctypes.CDLL(spec.origin)
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_quantize_chunk.argtypes = [
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int64,
        ctypes.c_int64,
        ctypes.c_int64,
        ctypes.c_void_p,
    ]
    return library
