"""Blocks against those of llama.cpp, and against what they stand for."""

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

from smidgen.design.gguf.blocks import BLOCKS, FALLBACKS, NEED_IMPORTANCE
from smidgen.errors import BadInput
from smidgen.export.gguf import quantiser
from smidgen.export.gguf.quantiser import IN_PYTHON, quantise

pytest.importorskip("xllamacpp")

ROWS = np.random.default_rng(0).standard_normal((5, 512)).astype(np.float32)
ROWS[1] = 0
ROWS[2] *= 1e-6
ROWS[3] *= 1e4
# What llama.cpp needs seconds to prepare for.
SLOW = ("IQ1_M", "IQ1_S", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ3_S", "IQ3_XXS")
QUICK = [kind for kind in BLOCKS if kind not in (*SLOW, *IN_PYTHON, "Q1_0")]


def test_blocks_are_those_of_the_gguf_package():
    assert {GGMLQuantizationType[kind]: size for kind, size in BLOCKS.items()}.items() <= GGML_QUANT_SIZES.items()
    assert {*FALLBACKS, *FALLBACKS.values(), *NEED_IMPORTANCE} <= BLOCKS.keys()


@pytest.mark.parametrize("kind", [kind for kind in IN_PYTHON if kind != "F32"])
def test_python_makes_the_bytes_of_llama_cpp(kind):
    ours = quantise(ROWS, kind)
    theirs = quantiser._by_llama_cpp(ROWS, kind, None)
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("kind", QUICK)
def test_what_llama_cpp_makes_stands_for_the_numbers(kind):
    made = quantise(ROWS, kind)
    assert made.shape == (5, 512 // BLOCKS[kind][0] * BLOCKS[kind][1])
    back = quants.dequantize(made, GGMLQuantizationType[kind])
    # Half a step of the fewest bits here, of rows whose largest number is about 3.
    assert np.abs(back - ROWS)[0].mean() < 0.3
    assert not back[1].any()


@pytest.mark.parametrize("kind", ["Q4_K", "Q2_K"])
def test_columns_that_matter_are_kept_better(kind):
    importance = np.full(512, 1e-3, np.float32)
    importance[::7] = 10
    errors = [
        np.abs(quants.dequantize(quantise(ROWS, kind, given), GGMLQuantizationType[kind]) - ROWS)[0, ::7].mean()
        for given in (None, importance)
    ]
    assert errors[1] < 0.8 * errors[0]


def test_without_llama_cpp_its_types_are_refused(monkeypatch):
    monkeypatch.setattr(quantiser, "has_llama_cpp", lambda: False)
    quantiser._library.cache_clear()
    with pytest.raises(BadInput, match=r"made by llama\.cpp, which is missing"):
        quantise(ROWS, "Q4_K")
    assert quantise(ROWS, "Q4_0").shape == (5, 288)
