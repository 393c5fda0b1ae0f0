"""What named hardware sustains in training, each rate with where it comes from."""

from dataclasses import dataclass
from typing import Literal

from smidgen.design.flops import needed_training_flops
from smidgen.design.shape import Shape
from smidgen.errors import BadInput
from smidgen.model.config import ModelConfig

# How a rate is known. "measured": by this project, on the machine named; "cited": by others; "roofline": what 80% of
# the memory bandwidth allows, a ceiling that nobody was seen to reach.
Basis = Literal["measured", "cited", "roofline"]

# GPT-S-5M's operations of training on one token, which most rates were taken with: `needed_training_flops`.
GPT_S_FLOPS = 36.24e6


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """``flops_per_second`` are operations that a training step needs, not those that the chip could do."""

    name: str
    description: str
    basis: Basis
    flops_per_second: float
    source: str


HARDWARE = (
    Hardware(
        name="cpu",
        description="two cores with AVX-512 and bfloat16 dot products, our kernels",
        basis="measured",
        flops_per_second=7270 * GPT_S_FLOPS,
        source="7,270 at gpt-s-5m, AMD EPYC (experiments.md, 2026-11-21)",
    ),
    Hardware(
        name="cpu-pytorch",
        description="the same two cores, PyTorch compiled",
        basis="measured",
        flops_per_second=3576 * GPT_S_FLOPS,
        source="3,576 at gpt-s-5m (experiments.md, 2026-11-21)",
    ),
    Hardware(
        name="cpu-amx",
        description="two cores with matrix tiles (AMX), PyTorch compiled",
        basis="measured",
        flops_per_second=9963 * GPT_S_FLOPS,
        source="9,963 at gpt-s-5m without XSA (an earlier study; our kernels have not run there)",
    ),
    Hardware(
        name="t4",
        description="NVIDIA T4",
        basis="cited",
        flops_per_second=650e6 / (6 * 3600) * 37.02e6,
        source="650M tokens of Ant-5M in about 6 hours, its card; memory would allow 0.56M at gpt-s-5m",
    ),
    Hardware(
        name="a100",
        description="NVIDIA A100",
        basis="roofline",
        flops_per_second=3.5e6 * GPT_S_FLOPS,
        source="3.5M at gpt-s-5m would take 80% of its memory bandwidth",
    ),
    Hardware(
        name="h100",
        description="NVIDIA H100",
        basis="cited",
        flops_per_second=0.20 * 989e12,
        source="1.5M for 17M parameters, seen elsewhere: 20% of 989 TFLOP/s in bfloat16",
    ),
    Hardware(
        name="h200",
        description="NVIDIA H200",
        basis="roofline",
        flops_per_second=8e6 * GPT_S_FLOPS,
        source="8M at gpt-s-5m would take 80% of its memory bandwidth",
    ),
)
# From packed JSON lines to shards on two cores, a vocabulary of 4,096, the `mild` filters (docs/data.md, Rates).
TOKENISING_BYTES_PER_SECOND = 58e6


def hardware_named(name: str) -> Hardware:
    """Raises ``BadInput`` for hardware without a rate, naming those that have one."""
    for hardware in HARDWARE:
        if hardware.name == name.lower():
            return hardware
    raise BadInput(f"no rate is known for hardware {name!r}; known are {', '.join(each.name for each in HARDWARE)}")


def training_tokens_per_second(design: ModelConfig | Shape, hardware: Hardware) -> float:
    """The rate at another shape, by its operations.

    Within a third where it could be checked: the quickstart trains at 29.8k tokens/s on "cpu", 39k by this rule.
    """
    return hardware.flops_per_second / needed_training_flops(design)
