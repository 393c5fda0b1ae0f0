"""Bytes that a model takes at rest, in training and while generating."""

from smidgen.design.parameters import count_parameters
from smidgen.model.config import ModelConfig

FLOAT32_BYTES, BFLOAT16_BYTES = 4, 2


def memory_bytes(config: ModelConfig) -> dict[str, int]:
    """Weights, gradients and AdamW's two moments in float32, and the cache of one full context in bfloat16.

    Activations depend on batch, compiler and kernels: `smidgen train` reports the measured peak.
    """
    weights = count_parameters(config).total * FLOAT32_BYTES
    cache_per_token = 2 * config.num_layers * config.num_kv_heads * config.head_dim * BFLOAT16_BYTES
    return {
        "weights_bytes": weights,
        "gradients_bytes": weights,
        "optimizer_bytes": 2 * weights,
        "training_bytes": 4 * weights,
        "kv_cache_bytes_per_token": cache_per_token,
        "kv_cache_bytes": cache_per_token * config.context_length,
    }
