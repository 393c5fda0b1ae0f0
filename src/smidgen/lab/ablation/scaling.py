"""Does a gain hold when both sides train longer?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smidgen.lab.ablation.budget import BASE
from smidgen.lab.ablation.table import Table
from smidgen.lab.ablation.verdicts import Verdict
from smidgen.lab.seeds import SeedDifference, seed_difference

# A gain holds when no more than half of it can have gone or come.
HELD_SHARE = 0.5
_WORDS = {
    "holds": "it holds",
    "grows": "it grows",
    "shrinks": "it shrinks",
    "cannot be told": "whether it holds cannot be told; more seeds would tell",
}


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """A variant's difference in one task at each scale, and what became of it between the first and the last.

    ``change`` is how much larger the difference became (in its own direction at the first scale), paired by seed,
    with a 95% interval; ``None`` without two seeds at both scales. ``holds`` is "holds", "shrinks", "grows" or
    "cannot be told".
    """

    variant: str
    task: str
    metric: str
    points: list[dict[str, Any]]
    change: dict[str, float] | None
    holds: str
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def scalings(verdicts: Sequence[Verdict], tables: Sequence[Table], tokens: Mapping[float, int]) -> list[Scaling]:
    """For each variant and task that has differences at two scales or more; ``tokens`` are the base's by scale.

    The intervals are of one comparison each, not corrected for their number.
    """
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for one in verdicts:
        if one.low is not None:
            groups.setdefault((one.variant, one.task), []).append(one)
    by_place = {(table.task, table.scale): table for table in tables}
    return [
        _scaling(group, [by_place[task, one.scale] for one in group], tokens)
        for (_, task), group in groups.items()
        if len(group) >= 2
    ]


def _scaling(group: Sequence[Verdict], tables: Sequence[Table], tokens: Mapping[float, int]) -> Scaling:
    first, last = group[0], group[-1]
    change = _change(first.variant, tables[0], tables[-1], direction=np.sign(first.difference or 0.0))
    holds = _held(first, last, change)
    return Scaling(
        variant=first.variant,
        task=first.task,
        metric=first.metric,
        points=[
            {
                "scale": one.scale,
                "tokens": tokens[one.scale],
                "difference": one.difference,
                "low": one.low,
                "high": one.high,
            }
            for one in group
        ],
        change=None if change is None else {"value": change.effect, "low": change.low, "high": change.high},
        holds=holds,
        sentence=(
            f"{first.variant}, {first.task}: {first.difference:+.3g} at {tokens[first.scale]:,} tokens, "
            f"{last.difference:+.3g} at {tokens[last.scale]:,}: {_WORDS[holds]}"
        ),
    )


def _change(variant: str, first: Table, last: Table, *, direction: float) -> SeedDifference | None:
    """How much larger the difference is in the last table, under the seeds that both have."""
    before, after = _differences(variant, first), _differences(variant, last)
    both = [seed for seed in before if seed in after]
    if len(both) < 2 or not direction:
        return None
    at_first, at_last = (direction * np.array([side[seed] for seed in both]) for side in (before, after))
    try:
        return seed_difference(at_first, at_last, last.items)
    except ValueError:
        return None


def _differences(variant: str, table: Table) -> dict[int, float]:
    base = table.of(BASE)
    return {seed: value - base[seed] for seed, value in table.of(variant).items() if seed in base}


def _held(first: Verdict, last: Verdict, change: SeedDifference | None) -> str:
    if change is None or not (_is_seen(first) or _is_seen(last)):
        return "cannot be told"
    if change.low > 0:
        return "grows"
    if change.high < 0:
        return "shrinks"
    most = HELD_SHARE * abs(first.difference or 0.0)
    return "holds" if _is_seen(first) and -most <= change.low and change.high <= most else "cannot be told"


def _is_seen(one: Verdict) -> bool:
    """Whether the interval leaves out "no difference"."""
    return one.low is not None and one.high is not None and not one.low <= 0 <= one.high
