"""Between our settings and the ``config.json`` of a stock ``LlamaForCausalLM``."""

from typing import Any

from smidgen.errors import BadInput
from smidgen.model.config import ModelConfig

# config.json -> ModelConfig; only these keys are read from files of others.
LLAMA_KEYS = {
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_hidden_layers": "num_layers",
    "num_attention_heads": "num_heads",
    "num_key_value_heads": "num_kv_heads",
    "head_dim": "head_dim",
    "intermediate_size": "intermediate_size",
    "max_position_embeddings": "context_length",
    "rms_norm_eps": "rms_norm_eps",
    "tie_word_embeddings": "tie_embeddings",
    "attention_bias": "attention_bias",
    "mlp_bias": "mlp_bias",
    "initializer_range": "initializer_range",
}
REQUIRED = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
# transformers' defaults for keys that may be absent.
DEFAULTS = {"max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "tie_word_embeddings": False}


def is_stock_llama(config: ModelConfig) -> bool:
    """Whether ``LlamaForCausalLM`` computes the same function."""
    return not (config.xsa or config.qk_norm or config.has_digit_features or config.logit_softcap)


def to_llama_config(config: ModelConfig) -> dict[str, Any]:
    """The shape as ``LlamaConfig`` keys, readable by transformers 4 and 5.

    Version 5 writes only ``rope_parameters``, from which version 4 silently takes theta 10,000: both are written.
    """
    shape = {theirs: getattr(config, ours) for theirs, ours in LLAMA_KEYS.items()}
    return {
        **shape,
        "hidden_act": "silu",
        "rope_theta": config.rope_theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
    }


def from_llama_config(values: dict[str, Any], *, origin: str) -> ModelConfig:
    """Read a shape from the parsed ``config.json`` of a Llama-like model.

    Raises ``BadInput`` when ``values`` is not of that kind, lacks a key or holds an impossible shape.
    """
    if values.get("model_type") != "llama":
        raise BadInput(f"{origin} has model_type {values.get('model_type')!r}; a shape can be read from 'llama'")
    missing = [key for key in REQUIRED if key not in values]
    if missing:
        raise BadInput(f"{origin} lacks {', '.join(missing)}, which a Llama shape needs")
    if values.get("hidden_act", "silu") != "silu":
        raise BadInput(f"{origin} has hidden_act {values['hidden_act']!r}; only 'silu' (SwiGLU) is known")
    given = {**DEFAULTS, "num_key_value_heads": values["num_attention_heads"], **values}
    settings = {ours: given[key] for key, ours in LLAMA_KEYS.items() if given.get(key) is not None}
    try:
        return ModelConfig(**settings, rope_theta=_rope_theta(values, origin))
    except (TypeError, ValueError) as error:
        raise BadInput(f"{origin} describes no model that can be built: {error}") from error


def _rope_theta(values: dict[str, Any], origin: str) -> float:
    rope = values.get("rope_parameters") or values.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise BadInput(f"{origin} has rope_type {kind!r}; only 'default' is known")
    return float(rope.get("rope_theta", values.get("rope_theta", 10_000.0)))
