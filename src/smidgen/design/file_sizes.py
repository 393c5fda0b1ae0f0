"""How large the files of a model are in each export format, by the true type of every tensor."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from smidgen.design.gguf.file_types import bytes_of_tensors, plan_file, why_undeserved
from smidgen.design.parameters import count_parameters
from smidgen.design.shape import OWN_FAMILY, Shape, shape_of
from smidgen.design.tensors import tensors_of
from smidgen.model.config import ModelConfig

# Of all types of GGUF files those that people ask for most.
GGUF_TYPES = ("F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_0", "Q4_K_M", "Q4_0")
SAFETENSORS_ALIGNMENT = 8


@dataclass(frozen=True, kw_only=True)
class FileSize:
    """``is_exact`` where the bytes are those of the file to the last, else a part of it (metadata) is left out.
    ``status`` is "exists" for what `smidgen export` writes, "refused" for what it does not write (``note`` says why),
    or "planned". ``types`` counts tensors by their type.
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
    return [asdict(size) for size in (*_safetensors(shape, is_ours), *_gguf(shape, is_ours), _onnx(shape, is_ours))]


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
        "norm of queries and keys in a Llama": shape.family in ("llama", OWN_FAMILY) and bool(shape.head_norms),
    }
    return [name for name, is_there in possible.items() if is_there]


def _safetensors(shape: Shape, is_ours: bool) -> list[FileSize]:
    weights, found = count_parameters(shape).total, []
    for dtype, width in (("F32", 4), ("BF16", 2)):
        header = _header_bytes(shape, dtype, width) if is_ours else 0
        found.append(
            FileSize(
                format=f"hf {'float32' if dtype == 'F32' else 'bfloat16'}",
                bytes=weights * width + header,
                bits_per_weight=8.0 * width,
                types={dtype: sum(tensor.copies for tensor in tensors_of(shape))},
                status="exists" if is_ours else "planned",
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


def _gguf(shape: Shape, is_ours: bool) -> list[FileSize]:
    if carried_by_code_alone(shape):
        return []
    return [_gguf_file(shape, name, status="exists" if is_ours else "planned") for name in GGUF_TYPES]


def _gguf_file(shape: Shape, name: str, *, status: str) -> FileSize:
    plans = plan_file(shape, name)
    why = why_undeserved(name, plans)
    return FileSize(
        format=f"gguf {name}",
        bytes=bytes_of_tensors(plans),
        bits_per_weight=round(8 * sum(plan.bytes for plan in plans) / count_parameters(shape).total, 2),
        types=dict(Counter(sorted(plan.kind for plan in plans))),
        status="refused" if why else status,
        is_exact=False,
        note=why or "tensors alone, without names, settings and vocabulary",
    )


def _onnx(shape: Shape, is_ours: bool) -> FileSize:
    weights = count_parameters(shape).total
    return FileSize(
        format="onnx float32",
        bytes=4 * weights,
        bits_per_weight=32.0,
        types={"F32": sum(tensor.copies for tensor in tensors_of(shape))},
        status="exists" if is_ours else "planned",
        is_exact=False,
        # 116 KB for the shape of GPT-S-5M with all features (docs/onnx.md).
        note="weights alone, without the graph",
    )


def _aligned(length: int, to: int) -> int:
    return -(-length // to) * to
