"""Exact parameter counts by part; their sum is the ``numel()`` of the real model."""

from dataclasses import asdict, dataclass

from smidgen.design.shape import Shape, shape_of
from smidgen.design.tensors import PARTS, tensors_of
from smidgen.model.config import ModelConfig


@dataclass(frozen=True, kw_only=True)
class ParameterCounts:
    """Numbers of trainable weights by part. Norms include their own biases, ``biases`` are those of projections;
    the embedding includes an untied head and a table of positions.
    """

    embedding: int
    attention: int
    feed_forward: int
    norms: int
    features: int
    biases: int

    @property
    def total(self) -> int:
        return sum(asdict(self).values())

    def as_dict(self) -> dict[str, int]:
        return {"total": self.total, **asdict(self)}


def count_parameters(design: ModelConfig | Shape) -> ParameterCounts:
    """Count what a model of this design holds, in closed form."""
    counts = dict.fromkeys(PARTS, 0)
    for tensor in tensors_of(shape_of(design)):
        counts[tensor.part] += tensor.copies * tensor.size
    return ParameterCounts(**counts)
