"""What of a design keeps it out of export formats."""

from collections.abc import Iterator
from typing import Any

from smidgen.design import evidence
from smidgen.design.file_sizes import carried_by_code_alone
from smidgen.design.finding import Finding
from smidgen.design.shape import OWN_FAMILY, Shape
from smidgen.design.subject import Subject

# Numbers of a block of llama.cpp's K-quants, which a row of a matrix must consist of.
K_QUANT_BLOCK = 256
USUAL_HEAD_DIM = 64


def features(subject: Subject) -> Iterator[Finding]:
    shape = subject.shape
    found = carried_by_code_alone(shape)
    if not found:
        return
    changes: dict[str, Any] = {
        **({"design.xsa": False} if shape.xsa else {}),
        **({"design.qk_norm": False} if shape.head_norms else {}),
        **({"design.place_vocab_size": 0, "design.role_vocab_size": 0} if shape.feature_tables else {}),
        **({"design.logit_softcap": 0.0} if shape.logit_softcap else {}),
    }
    yield Finding(
        code="remote-code",
        severity="note",
        message=f"{' and '.join(found)} cannot be carried by a stock LlamaForCausalLM or by GGUF",
        evidence=evidence.CODE_ALONE,
        changes=changes if shape.family == OWN_FAMILY else {},
        effect="or keep it: exports to Hugging Face then need trust_remote_code=True",
    )


def k_quants(subject: Subject) -> Iterator[Finding]:
    shape = subject.shape
    rows = {
        "hidden size": shape.hidden_size,
        "channels of all heads": shape.query_channels,
        "feed-forward size": shape.intermediate_size,
    }
    odd = {name: width for name, width in rows.items() if width % K_QUANT_BLOCK}
    if not odd:
        return
    named = ", ".join(f"{name} {width}" for name, width in odd.items())
    yield Finding(
        code="k-quants",
        severity="note",
        message=f"K-quants of GGUF need rows of {K_QUANT_BLOCK} numbers; not so: {named}",
        evidence=evidence.K_QUANTS,
        changes=_whole_blocks(shape),
        effect="or take Q8_0, which needs multiples of 32",
    )


def _whole_blocks(shape: Shape) -> dict[str, int]:
    """The nearest widths upwards; heads keep their size where that divides the new width."""
    width = _blocks_up(shape.hidden_size)
    changed: dict[str, int] = {"hidden_size": width, "intermediate_size": _blocks_up(shape.intermediate_size)}
    if width != shape.hidden_size or shape.query_channels % K_QUANT_BLOCK:
        head_dim = shape.head_dim if width % shape.head_dim == 0 else USUAL_HEAD_DIM
        heads = width // head_dim
        wanted = shape.num_kv_heads * heads / shape.num_heads
        kv_heads = min((n for n in range(1, heads + 1) if heads % n == 0), key=lambda n: abs(n - wanted))
        changed |= {"num_heads": heads, "num_kv_heads": kv_heads, "head_dim": head_dim}
    return {f"design.{key}": value for key, value in changed.items() if value != getattr(shape, key)}


def _blocks_up(width: int) -> int:
    return -(-width // K_QUANT_BLOCK) * K_QUANT_BLOCK
