"""The shape and the weights of a Llama in a GGUF file, in our own names and layout."""

from typing import Any

import numpy as np
from torch import Tensor

from smidgen.checkpoints.gguf.container import GGUFFile
from smidgen.checkpoints.gguf.numbers import tensor_of
from smidgen.design.gguf.names import our_name
from smidgen.design.shape import shape_of
from smidgen.design.tensors import tensors_of
from smidgen.errors import BadInput
from smidgen.model.config import ModelConfig

ARCHITECTURE_KEY = "general.architecture"
# GGUF -> ModelConfig.
_SIZES = {
    "embedding_length": "hidden_size",
    "block_count": "num_layers",
    "attention.head_count": "num_heads",
    "feed_forward_length": "intermediate_size",
    "context_length": "context_length",
}
# Keys that change nothing here, or are looked at below.
_OPTIONAL = {
    "vocab_size",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.layer_norm_rms_epsilon",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scaling.type",
    "expert_count",
    "expert_used_count",
}
_ROTATED = ("self_attn.q_proj", "self_attn.k_proj")


def config_of(file: GGUFFile) -> ModelConfig:
    """Raises ``BadInput`` for another architecture, and for a Llama that computes more than ours does."""
    origin, architecture = str(file.path), file.settings.get(ARCHITECTURE_KEY)
    if architecture != "llama":
        raise BadInput(f"{origin} has the architecture {architecture!r}; only 'llama' can be read from GGUF")
    settings = {
        name.removeprefix("llama."): value for name, value in file.settings.items() if name.startswith("llama.")
    }
    _refuse_extras(settings, file)
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise BadInput(f"{origin} has no token_embd.weight; it may be one part of a model in several files")
    values: dict[str, Any] = {ours: _whole(settings, theirs, origin) for theirs, ours in _SIZES.items()}
    if values["num_layers"] > len(file.tensors):
        raise BadInput(f"{origin} announces {values['num_layers']:,} layers but has {len(file.tensors)} tensors")
    head_dim = _whole(settings, "attention.key_length", origin, values["hidden_size"] // max(1, values["num_heads"]))
    _require_equal(settings, ("attention.value_length", "rope.dimension_count"), head_dim, origin)
    try:
        return ModelConfig(
            **values,
            vocab_size=embedding.shape[0],
            num_kv_heads=_whole(settings, "attention.head_count_kv", origin, values["num_heads"]),
            head_dim=head_dim,
            rope_theta=_number(settings, "rope.freq_base", origin, 10_000.0),
            rms_norm_eps=_number(settings, "attention.layer_norm_rms_epsilon", origin, None),
            tie_embeddings="output.weight" not in file.tensors,
            attention_bias="blk.0.attn_q.bias" in file.tensors,
            mlp_bias="blk.0.ffn_up.bias" in file.tensors,
        )
    except (TypeError, ValueError) as error:
        raise BadInput(f"{origin} describes no model that can be built: {error}") from error


def weights_of(file: GGUFFile, config: ModelConfig) -> dict[str, Tensor]:
    """The state of a ``Decoder`` of this shape. Raises ``BadInput`` when tensors are missing, superfluous or of other
    shapes.
    """
    expected = {name: tensor.shape for tensor in tensors_of(shape_of(config)) for name in tensor.names}
    found = {_ours(name, file): name for name in file.tensors}
    wrong = sorted(expected.keys() ^ found.keys())
    if wrong:
        raise BadInput(f"{file.path}: weights do not fit the shape ({wrong[0]} and {len(wrong) - 1} others)")
    for ours, theirs in found.items():
        if file.tensors[theirs].shape != expected[ours]:
            raise BadInput(f"{file.path}: {theirs} has the shape {file.tensors[theirs].shape}, not {expected[ours]}")
    heads = dict(zip(_ROTATED, (config.num_heads, config.num_kv_heads), strict=True))
    weights = {}
    for ours, theirs in found.items():
        module = ours.rpartition(".")[0].partition(".")[2].partition(".")[2]
        values = tensor_of(file, theirs)
        weights[ours] = _half_split(values, heads[module]) if module in heads else values
    return weights


def _half_split(rows: Tensor, heads: int) -> Tensor:
    """Within each head from neighbours that turn together to row r and row r + D/2, the layout of ours."""
    pairs = rows.reshape(heads, len(rows) // heads // 2, 2, *rows.shape[1:])
    return pairs.transpose(1, 2).reshape(rows.shape).contiguous()


def _refuse_extras(settings: dict[str, Any], file: GGUFFile) -> None:
    unknown = sorted(settings.keys() - _SIZES.keys() - _OPTIONAL)
    if settings.get("rope.scaling.type", "none") != "none":
        unknown = ["rope.scaling.type"]
    if settings.get("expert_count"):
        unknown = ["expert_count"]
    if "rope_freqs.weight" in file.tensors:
        unknown = ["rope_freqs.weight"]
    if unknown:
        raise BadInput(f"{file.path} asks for {unknown[0]}, which a plain Llama here does not compute")


def _ours(name: str, file: GGUFFile) -> str:
    try:
        return our_name(name)
    except KeyError as error:
        raise BadInput(f"{file.path} has a tensor {name[:64]}, which a plain Llama does not have") from error


def _require_equal(settings: dict[str, Any], keys: tuple[str, ...], head_dim: int, origin: str) -> None:
    for key in keys:
        if (value := settings.get(key, head_dim)) != head_dim:
            raise BadInput(f"{origin} has {key}={value} with heads of {head_dim}; only equal ones can be read")


def _whole(settings: dict[str, Any], key: str, origin: str, default: int | None = None) -> int:
    value = settings.get(key, default)
    # A list is a size for each layer; True is no number of layers.
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadInput(f"{origin} lacks llama.{key}, or has another one for each layer; one whole number is needed")
    return value


def _number(settings: dict[str, Any], key: str, origin: str, default: float | None) -> float:
    value = settings.get(key, default)
    if not isinstance(value, (int, float)):
        raise BadInput(f"{origin} lacks llama.{key}, which a Llama needs")
    # The file has it in float32; meant is the shortest number that is the same there.
    return float(str(np.float32(value)))
