"""The types of numbers in a GGUF file: how many share a block, and its bytes."""

# ggml-common.h of llama.cpp, October 2026.
BLOCKS = {
    "F32": (1, 4),
    "F16": (1, 2),
    "BF16": (1, 2),
    "Q8_0": (32, 34),
    "Q6_K": (256, 210),
    "Q5_K": (256, 176),
    "Q5_1": (32, 24),
    "Q5_0": (32, 22),
    "Q4_K": (256, 144),
    "Q4_1": (32, 20),
    "Q4_0": (32, 18),
    "IQ4_NL": (32, 18),
    "IQ4_XS": (256, 136),
    "Q3_K": (256, 110),
    "IQ3_S": (256, 110),
    "IQ3_XXS": (256, 98),
    "Q2_K": (256, 84),
    "IQ2_S": (256, 82),
    "IQ2_XS": (256, 74),
    "IQ2_XXS": (256, 66),
    "TQ2_0": (256, 66),
    "TQ1_0": (256, 54),
    "IQ1_M": (256, 56),
    "IQ1_S": (256, 50),
    "Q1_0": (128, 18),
}
# Types in which a block is one number: nothing is quantised.
FLOATS = ("F32", "F16", "BF16")
# What llama.cpp takes instead where a row is no multiple of the block (llama-quant.cpp, tensor_type_fallback).
FALLBACKS = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"),
    **dict.fromkeys(("Q2_K", "Q3_K", "TQ1_0", "TQ2_0"), "Q4_0"),
    "Q4_K": "Q5_0",
    "Q5_K": "Q5_1",
    "Q6_K": "Q8_0",
}
# Types that llama.cpp makes no sense of without knowing which columns matter (llama-quant.cpp).
NEED_IMPORTANCE = ("IQ3_XXS", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ1_M", "IQ1_S")
# A tensor in the file begins at a multiple of this.
ALIGNMENT = 32


def fitting(kind: str, row: int) -> str:
    """The type itself where blocks of it make up a row, else what llama.cpp takes instead, F16 at last."""
    return next((name for name in (kind, FALLBACKS.get(kind, kind)) if row % BLOCKS[name][0] == 0), "F16")


def bytes_of(kind: str, numbers: int) -> int:
    """Bytes of so many numbers, a whole number of blocks."""
    length, width = BLOCKS[kind]
    assert numbers % length == 0, f"{numbers} numbers are no whole blocks of {kind}"
    return numbers // length * width


def aligned(length: int) -> int:
    """``length`` rounded up to where the next tensor begins."""
    return -(-length // ALIGNMENT) * ALIGNMENT
