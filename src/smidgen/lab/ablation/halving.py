"""Successive halving: the worse variants stop early, so that the budget goes to those that may still win."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Halving:
    """At each fraction of the training in ``at`` the share ``keep`` of the variants goes on; the base always does."""

    at: tuple[float, ...]
    keep: float = 0.5

    def __post_init__(self) -> None:
        check_fractions(self.at)
        if not 0 < self.keep < 1:
            raise ValueError(f"keep={self.keep} is the share of the variants that goes on; 0.5 is usual")

    def as_dict(self) -> dict[str, Any]:
        return {"at": list(self.at), "keep": self.keep}

    def survivors(self, variants: int) -> int:
        """How many of so many variants go on: at least one."""
        return max(1, math.ceil(variants * self.keep - 1e-9)) if variants else 0


def check_fractions(at: Sequence[float]) -> None:
    """Raise ``ValueError`` for what are no fractions of a training at which trials could be compared."""
    if not at or any(not before < after for before, after in itertools.pairwise((0.0, *at, 1.0))):
        raise ValueError(
            f"at={list(at)} are fractions of the training, which must rise and lie between 0 and 1; "
            "[0.25, 0.5] would work"
        )
