"""Why no shape keeps to the constraints, and what would."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from smidgen.design.solving.columns import Columns
from smidgen.design.solving.constraints import LARGEST_BUDGET, Constraints
from smidgen.design.solving.grid import shapes_within
from smidgen.design.solving.limits import cache_bytes, training_speed, within_limits
from smidgen.errors import BadInput

# Larger budgets are tried in steps of what may stay unspent, so that none is skipped, up to about four times.
BUDGET_STEP, MOST_BUDGET_STEPS = 1.01, 140


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A constraint as it was given, what stands in its place when it is dropped, and what of it would work.

    ``remedy`` gets the shapes that there are without the constraint.
    """

    words: str
    dropped: dict[str, Any]
    remedy: Callable[[Columns, Constraints], str]


def refusal(budget: int, constraints: Constraints) -> BadInput:
    """One sentence: which constraint excludes everything, and the nearest that would work."""
    suspects = list(_suspects(budget, constraints))
    remedies = []
    for suspect in suspects:
        without = _shapes(budget, replace(constraints, **suspect.dropped))
        if len(without):
            remedies.append((suspect.words, suspect.remedy(without, constraints)))
    # A larger model has no smaller cache and is no faster.
    is_free_to_run = constraints.kv_bytes is None and constraints.tokens_per_second is None
    larger = _larger_budget(budget, constraints) if is_free_to_run else None
    ways = [remedy for _, remedy in remedies] + ([f"--parameters {larger}"] if larger else [])
    works = f"{' or '.join(ways)} would work" if ways else _without_several(budget, constraints, suspects)
    # One that alone makes the difference is to blame alone.
    blamed = remedies[0][0] if len(remedies) == 1 else " and ".join(suspect.words for suspect in suspects)
    together = " together" if len(remedies) != 1 and len(suspects) > 1 else ""
    blame = f" with {blamed}{together}" if blamed else ""
    return BadInput(f"no shape of {budget:,} parameters{blame} spends at least 99% of them; {works}")


def _without_several(budget: int, constraints: Constraints, suspects: Sequence[Suspect]) -> str:
    """Dropping one does not help: one after the other, until something fits."""
    dropped = []
    for suspect in suspects:
        constraints = replace(constraints, **suspect.dropped)
        dropped.append(suspect.words)
        if len(_shapes(budget, constraints)):
            break
    return f"without {' and '.join(dropped)} it would work"


def _shapes(budget: int, constraints: Constraints) -> Columns:
    return within_limits(shapes_within(budget, constraints), constraints)


def _suspects(budget: int, constraints: Constraints) -> Iterator[Suspect]:
    """The constraints that were given; those on running first, because they exclude whole shapes."""
    if constraints.kv_bytes is not None:
        yield Suspect(
            words=f"a cache of at most {constraints.kv_bytes:,} bytes (--kv-bytes)",
            dropped={"kv_bytes": None},
            remedy=lambda shapes, given: f"--kv-bytes {int(cache_bytes(shapes, given).min())}",
        )
    if constraints.tokens_per_second is not None:
        yield Suspect(
            words=f"{constraints.tokens_per_second:,.0f} tokens/s on {constraints.hardware}",
            dropped={"tokens_per_second": None},
            remedy=lambda shapes, given: f"--tokens-per-second {int(training_speed(shapes, given).max())}",
        )
    if constraints.vocab_size is not None:
        yield Suspect(
            words=f"a vocabulary of {constraints.vocab_size:,}",
            dropped={"vocab_size": None},
            remedy=lambda shapes, given: f"--vocab-size {_nearest(shapes.vocab_size, given.vocab_size)}",
        )
    if constraints.multiple_of > 1:
        yield Suspect(
            words=f"sizes that are multiples of {constraints.multiple_of:,}",
            dropped={"multiple_of": 1},
            remedy=lambda _, given: f"--multiple-of {_smaller_multiple(budget, given)}",
        )
    if constraints.gguf:
        yield Suspect(words="--gguf", dropped={"gguf": False}, remedy=lambda *_: "the same without --gguf")
    if not constraints.tie_embeddings:
        yield Suspect(words="--untie", dropped={"tie_embeddings": True}, remedy=lambda *_: "--tie")


def _nearest(values: np.ndarray, wanted: int | None) -> int:
    return int(values[np.argmin(np.abs(values - (wanted or 0)))])


def _smaller_multiple(budget: int, constraints: Constraints) -> int:
    """The largest divisor of the given multiple that leaves a shape; 1 does, as its caller has seen."""
    divisors = [one for one in range(constraints.multiple_of - 1, 1, -1) if constraints.multiple_of % one == 0]
    work = (one for one in divisors if len(_shapes(budget, replace(constraints, multiple_of=one))))
    return next(work, 1)


def _larger_budget(budget: int, constraints: Constraints) -> int | None:
    """The smallest larger budget that some shape spends to the last parameter."""
    tried = float(budget)
    for _ in range(MOST_BUDGET_STEPS):
        tried *= BUDGET_STEP
        if tried > LARGEST_BUDGET:
            return None
        shapes = _shapes(int(tried), constraints)
        if len(shapes):
            return int(shapes.totals(tied=constraints.tie_embeddings).min())
    return None
