"""Many shapes at once: one array for each size."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smidgen.design.parameters import ParameterCounts, count_parameters
from smidgen.design.shape import Shape

Integers = npt.NDArray[np.int64]

SIZES = ("vocab_size", "hidden_size", "num_layers", "num_heads", "num_kv_heads", "head_dim", "intermediate_size")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Shapes without biases or digit features, each a position in all arrays. Names are those of ``ModelConfig``."""

    vocab_size: Integers
    hidden_size: Integers
    num_layers: Integers
    num_heads: Integers
    num_kv_heads: Integers
    head_dim: Integers
    intermediate_size: Integers

    def __len__(self) -> int:
        return len(self.vocab_size)

    def taken(self, positions: npt.NDArray[Any]) -> "Columns":
        """The shapes at these positions, or where an array of truths says so."""
        return Columns(**{name: getattr(self, name)[positions] for name in SIZES})

    def sizes_at(self, position: int) -> dict[str, Any]:
        """Plain integers by name, for ``ModelConfig``."""
        return {name: int(getattr(self, name)[position]) for name in SIZES}

    def shapes(self, *, tied: bool, context_length: int = 1) -> Shape:
        """Arrays in place of numbers: what counts one shape then counts all, and no second formula can go astray."""
        sizes: dict[str, Any] = {name: getattr(self, name) for name in SIZES}
        return Shape(family="smidgen", context_length=context_length, tied=tied, **sizes)

    def counted(self, *, tied: bool) -> ParameterCounts:
        """Parameters by part, each an array."""
        return count_parameters(self.shapes(tied=tied))

    def totals(self, *, tied: bool) -> Integers:
        """Parameters of each shape."""
        return np.asarray(self.counted(tied=tied).total)


def joined(parts: list[Columns]) -> Columns:
    """All shapes of several groups, in order."""
    empty = Columns(**{name: np.empty(0, dtype=np.int64) for name in SIZES})
    return Columns(**{name: np.concatenate([getattr(part, name) for part in (empty, *parts)]) for name in SIZES})
