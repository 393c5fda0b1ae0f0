"""How the families of transformers word their shapes in ``config.json``, and what each has besides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

# A value of a Shape that follows from the others, and from what else the file says.
Derived = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]

# Our name -> the key of config.json, in all families that follow Llama in it.
SIZE_KEYS = MappingProxyType(
    {
        "vocab_size": "vocab_size",
        "hidden_size": "hidden_size",
        "num_layers": "num_hidden_layers",
        "num_heads": "num_attention_heads",
        "num_kv_heads": "num_key_value_heads",
        "head_dim": "head_dim",
        "intermediate_size": "intermediate_size",
        "context_length": "max_position_embeddings",
        "tied": "tie_word_embeddings",
    }
)
# Every query head has keys and values of its own.
NEOX_KEYS = MappingProxyType({ours: theirs for ours, theirs in SIZE_KEYS.items() if ours != "num_kv_heads"})
GPT2_KEYS = MappingProxyType(
    {
        "vocab_size": "vocab_size",
        "hidden_size": "n_embd",
        "num_layers": "n_layer",
        "num_heads": "n_head",
        "intermediate_size": "n_inner",
        "context_length": "n_positions",
        "tied": "tie_word_embeddings",
    }
)
# None may be left out of a file: without them its model is not known, and the defaults are those of a large one.
REQUIRED = ("vocab_size", "hidden_size", "num_layers", "num_heads")
LAYER_NORM = {"norm_biases": True}


def _option(key: str, default: bool) -> Derived:
    return lambda values, sizes: bool(values.get(key, default))


def _per_head(values: Mapping[str, Any], sizes: Mapping[str, Any]) -> tuple[int, int]:
    """Norms that act on each head alone and share their weights."""
    return sizes["head_dim"], sizes["head_dim"]


def _over_all_heads(values: Mapping[str, Any], sizes: Mapping[str, Any]) -> tuple[int, int]:
    return sizes["num_heads"] * sizes["head_dim"], sizes["num_kv_heads"] * sizes["head_dim"]


def _qk_norm_where_asked(values: Mapping[str, Any], sizes: Mapping[str, Any]) -> tuple[int, ...]:
    return _per_head(values, sizes) if values.get("qk_norm", False) else ()


def _refresh_gates(values: Mapping[str, Any], sizes: Mapping[str, Any]) -> int:
    layers = values.get("refresh_gate_layers", [])
    if not isinstance(layers, list) or not all(layer in range(sizes["num_layers"]) for layer in layers):
        raise ValueError(
            f"refresh_gate_layers={layers!r} must list layers from 0 to {sizes['num_layers'] - 1}, [4, 8] for example"
        )
    return len(set(layers))


def _partial(default: float) -> Derived:
    """A part of the channels turns; GPT-NeoX calls it rotary_pct."""

    def turning(values: Mapping[str, Any], sizes: Mapping[str, Any]) -> int:
        rope = values.get("rope_parameters") or {}
        share = rope.get("partial_rotary_factor", values.get("rotary_pct", default))
        if not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise ValueError(f"rotary_pct={share!r} must lie between 0 and 1; {default} is usual")
        return int(sizes["head_dim"] * share)

    return turning


@dataclass(frozen=True, kw_only=True)
class Family:
    """``defaults`` are those of transformers for keys that may be absent; a size without one follows from others.

    ``fixed`` are options of a Shape that all models of the family have, ``derived`` those that the file decides;
    these raise ``ValueError`` for what cannot be.
    """

    keys: Mapping[str, str] = field(default_factory=lambda: SIZE_KEYS)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)


_ATTENTION_BIAS = {"qkv_biases": _option("attention_bias", False), "output_bias": _option("attention_bias", False)}
_UNTIED = {"tied": False}
# Each is held against the model that transformers builds (tests/design/test_families.py).
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "llama": Family(
            defaults={**_UNTIED, "context_length": 2048},
            # Two words of ours besides, for what published variants of Llama add (docs/design.md).
            derived={
                **_ATTENTION_BIAS,
                "feed_forward_biases": _option("mlp_bias", False),
                "head_norms": _qk_norm_where_asked,
                "refresh_gates": _refresh_gates,
            },
        ),
        "mistral": Family(defaults={**_UNTIED, "num_kv_heads": 8, "context_length": 131_072}),
        "qwen2": Family(
            defaults={**_UNTIED, "num_kv_heads": 32, "context_length": 32_768}, fixed={"qkv_biases": True}
        ),
        "qwen3": Family(
            defaults={**_UNTIED, "num_kv_heads": 32, "head_dim": 128, "context_length": 32_768},
            derived={**_ATTENTION_BIAS, "head_norms": _per_head},
        ),
        "gemma": Family(
            defaults={"tied": True, "num_kv_heads": 16, "head_dim": 256, "context_length": 8192},
            derived=_ATTENTION_BIAS,
        ),
        "gemma2": Family(
            defaults={"tied": True, "head_dim": 256, "num_kv_heads": 4, "context_length": 8192},
            fixed={"layer_norms": 4},
            derived=_ATTENTION_BIAS,
        ),
        "olmo2": Family(
            defaults={**_UNTIED, "context_length": 2048}, derived={**_ATTENTION_BIAS, "head_norms": _over_all_heads}
        ),
        "gpt2": Family(
            keys=GPT2_KEYS,
            defaults={"tied": True, "context_length": 1024},
            fixed={
                **LAYER_NORM,
                "gated": False,
                "qkv_biases": True,
                "output_bias": True,
                "feed_forward_biases": True,
                "rotary_dim": 0,
            },
            derived={"learned_positions": lambda values, sizes: sizes["context_length"]},
        ),
        "gpt_neox": Family(
            keys=NEOX_KEYS,
            defaults={**_UNTIED, "context_length": 2048},
            fixed={**LAYER_NORM, "gated": False, "feed_forward_biases": True},
            derived={
                "qkv_biases": _option("attention_bias", True),
                "output_bias": _option("attention_bias", True),
                "rotary_dim": _partial(0.25),
            },
        ),
    }
)
