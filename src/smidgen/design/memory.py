"""Bytes that a model takes at rest and while generating."""

from smidgen.design.parameters import count_parameters
from smidgen.design.shape import Shape, shape_of
from smidgen.model.config import ModelConfig

FLOAT32_BYTES, BFLOAT16_BYTES = 4, 2


def inference_memory(design: ModelConfig | Shape, *, context_length: int | None = None) -> dict[str, int]:
    """Weights in two formats, and the keys and values of ``context_length`` tokens (one context) in bfloat16."""
    shape = shape_of(design)
    weights = count_parameters(shape).total
    cache_per_token = 2 * shape.num_layers * shape.kv_channels * BFLOAT16_BYTES
    return {
        "weights_float32_bytes": weights * FLOAT32_BYTES,
        "weights_bfloat16_bytes": weights * BFLOAT16_BYTES,
        "kv_cache_bytes_per_token": cache_per_token,
        "kv_cache_bytes": cache_per_token * (context_length or shape.context_length),
    }
