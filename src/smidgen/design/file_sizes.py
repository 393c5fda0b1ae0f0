"""How large the files of a model are in each export format, by the true type of every tensor."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from smidgen.design.parameters import count_parameters
from smidgen.design.shape import OWN_FAMILY, Shape, shape_of
from smidgen.design.tensors import Tensor, tensors_of
from smidgen.model.config import ModelConfig

# Types of ggml: how many numbers share a block, and its bytes (ggml-common.h of llama.cpp).
BLOCKS = {
    "F32": (1, 4),
    "F16": (1, 2),
    "Q8_0": (32, 34),
    "Q6_K": (256, 210),
    "Q5_0": (32, 22),
    "Q4_K": (256, 144),
}
# What llama.cpp takes instead where a row is no multiple of the block; F16 where that does not divide it either.
FALLBACKS = {"Q6_K": "Q8_0", "Q4_K": "Q5_0"}
GGUF_ALIGNMENT = 32
SAFETENSORS_ALIGNMENT = 8


@dataclass(frozen=True, kw_only=True)
class FileSize:
    """``is_exact`` where the bytes are those of the file to the last, else a part of it (metadata) is left out.
    ``status`` is "exists" for what `smidgen export` writes, or "planned". ``types`` counts tensors by their type.
    """

    format: str
    bytes: int
    bits_per_weight: float
    types: dict[str, int]
    status: str
    is_exact: bool
    note: str = ""


def file_sizes(design: ModelConfig | Shape) -> list[dict[str, Any]]:
    """Every format that can carry the design, as plain data."""
    shape = shape_of(design)
    is_ours = shape.family == OWN_FAMILY
    return [asdict(size) for size in (*_safetensors(shape, is_ours), *_gguf(shape), _onnx(shape))]


def refused_formats(design: ModelConfig | Shape) -> list[dict[str, str]]:
    """Formats that cannot carry the design, each with the reason."""
    features = carried_by_code_alone(shape_of(design))
    reason = f"llama.cpp has no {' and no '.join(features)}, and would compute something else without a word"
    return [{"format": "gguf", "reason": reason}] if features else []


def carried_by_code_alone(shape: Shape) -> list[str]:
    """What of a design needs code of its own: neither a stock Llama nor GGUF has it."""
    possible = {
        "XSA": shape.xsa,
        "digit features": bool(shape.feature_tables),
        "refresh gate": bool(shape.refresh_gates),
        "logit soft-cap": shape.logit_softcap > 0,
        "norm of queries and keys in a Llama": shape.family == "llama" and bool(shape.head_norms),
    }
    return [name for name, is_there in possible.items() if is_there]


def _safetensors(shape: Shape, is_ours: bool) -> list[FileSize]:
    weights, found = count_parameters(shape).total, []
    for dtype, width, status in (("F32", 4, "exists"), ("BF16", 2, "planned")):
        header = _header_bytes(shape, dtype, width) if is_ours else 0
        found.append(
            FileSize(
                format=f"hf {'float32' if dtype == 'F32' else 'bfloat16'}",
                bytes=weights * width + header,
                bits_per_weight=8.0 * width,
                types={dtype: sum(tensor.copies for tensor in tensors_of(shape))},
                status=status if is_ours else "planned",
                is_exact=is_ours,
                note="model.safetensors" if is_ours else "weights alone, without the file's header",
            )
        )
    return found


def _header_bytes(shape: Shape, dtype: str, width: int) -> int:
    """Eight bytes of length, then JSON in the order of names, filled up with blanks."""
    in_model = bool(carried_by_code_alone(shape))
    named = {
        name if name == "lm_head.weight" and not in_model else f"model.{name}": tensor
        for tensor in tensors_of(shape)
        for name in tensor.names
    }
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name in sorted(named):
        end = position + named[name].size * width
        entries[name] = {"dtype": dtype, "shape": named[name].shape, "data_offsets": [position, end]}
        position = end
    return 8 + _aligned(len(json.dumps(entries, separators=(",", ":"))), SAFETENSORS_ALIGNMENT)


def _gguf(shape: Shape) -> list[FileSize]:
    if carried_by_code_alone(shape):
        return []
    rules: dict[str, Callable[[Tensor, int, Shape], str]] = {
        "F32": lambda tensor, layer, shape: "F32",
        "F16": lambda tensor, layer, shape: "F16",
        "Q8_0": lambda tensor, layer, shape: "Q8_0",
        "Q6_K": lambda tensor, layer, shape: "Q6_K",
        "Q4_K_M": _type_in_q4_k_m,
    }
    return [_gguf_file(shape, name, rule) for name, rule in rules.items()]


def _gguf_file(shape: Shape, name: str, rule: Callable[[Tensor, int, Shape], str]) -> FileSize:
    total, types = 0, dict.fromkeys(BLOCKS, 0)
    for tensor in tensors_of(shape):
        for layer in range(tensor.copies):
            kind = rule(tensor, layer, shape) if len(tensor.shape) > 1 else "F32"
            kind = _fitting(kind, tensor.shape[-1])
            numbers, width = BLOCKS[kind]
            total += _aligned(tensor.size // numbers * width, GGUF_ALIGNMENT)
            types[kind] += 1
    used = {kind: count for kind, count in types.items() if count}
    deserved = name.removesuffix("_M") in used
    return FileSize(
        format=f"gguf {name}",
        bytes=total,
        bits_per_weight=round(8 * total / count_parameters(shape).total, 2),
        types=used,
        status="planned",
        is_exact=False,
        note="tensors alone"
        if deserved
        else f"holds no {name.removesuffix('_M')} at all: rows are no multiples of 256",
    )


def _type_in_q4_k_m(tensor: Tensor, layer: int, shape: Shape) -> str:
    """Q6_K for the head, and for values and the last product of some layers (llama-quant.cpp, use_more_bits)."""
    name = tensor.name.rpartition("layers.{layer}.")[2]
    if name == ("embed_tokens.weight" if shape.tied else "lm_head.weight"):
        return "Q6_K"
    if name in ("self_attn.v_proj.weight", "mlp.down_proj.weight"):
        eighth = shape.num_layers // 8
        outside = layer < eighth or layer >= 7 * shape.num_layers // 8
        return "Q6_K" if outside or (layer - eighth) % 3 == 2 else "Q4_K"
    return "Q4_K"


def _fitting(kind: str, row: int) -> str:
    for candidate in (kind, FALLBACKS.get(kind, kind)):
        if row % BLOCKS[candidate][0] == 0:
            return candidate
    return "F16"


def _onnx(shape: Shape) -> FileSize:
    weights = count_parameters(shape).total
    return FileSize(
        format="onnx float32",
        bytes=4 * weights,
        bits_per_weight=32.0,
        types={"F32": sum(tensor.copies for tensor in tensors_of(shape))},
        status="planned",
        is_exact=False,
        note="weights alone, without the graph",
    )


def _aligned(length: int, to: int) -> int:
    return -(-length // to) * to
