"""Did a variant help? One verdict for each variant, task and scale, which hold for all of an ablation together.

A paired t-test over seeds for each, corrected by Holm over all. The noise is that of the variant's own pairs,
although three of them tell little about it. Taking it from the pairs of all variants together was tried by simulation
(2,000 ablations a row, benchmarks/ablation_verdicts.py, 2026-11-21) and decided against. With 3 seeds it finds 35 to
37% of effects where one's own pairs find 7 to 16%; but where one variant or the base is noisier than the rest, as at
the edge of divergence, 6 to 17% of ablations call something better or worse that is neither, instead of 5%. The
larger of one's own and the pooled variance, with as many degrees of freedom as Satterthwaite (1946) leaves them,
still comes to 6.5%. One's own pairs stay below 5% in every row; what finds more at that rate is more seeds.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from smidgen.lab.ablation.budget import BASE
from smidgen.lab.ablation.gain import expected_gains
from smidgen.lab.ablation.outcome import DIVERGED, HALVED, Outcome
from smidgen.lab.ablation.table import Table
from smidgen.lab.difference import LEVEL, level_after, verdict
from smidgen.lab.holm import holm
from smidgen.lab.seeds import ROUNDING, SeedDifference, seed_difference


@dataclass(frozen=True, kw_only=True)
class Gain:
    """The expected improvement, positive where the variant is better, with an interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A variant against the base in one task at one scale; ``difference`` is its value less the base's.

    Numbers are ``None`` where there are not two pairs of seeds, ``low`` and ``high`` also where the pairs show no
    noise, ``p`` where no test decides. ``seeds`` counts the pairs.
    """

    variant: str
    task: str
    metric: str
    scale: float
    base_value: float | None
    value: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    seeds: int
    more_seeds: int | None
    expected_gain: Gain | None
    verdict: str
    test: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Matched:
    """A variant's pairs with the base in one task: values ``a`` of the base and ``b``, by seed.

    ``found`` is their difference where there is noise to hold it against. ``words`` are the verdict where no test
    decides on it. ``p`` goes into the correction: ``None`` where trials diverged, were stopped or are too few.
    """

    variant: str
    table: Table
    a: np.ndarray
    b: np.ndarray
    found: SeedDifference | None
    words: str
    p: float | None

    @property
    def difference(self) -> float | None:
        return float(self.b.mean() - self.a.mean()) if len(self.a) else None

    @property
    def sign(self) -> int:
        """What makes a difference a gain."""
        return -1 if self.table.metric.lower_is_better else 1


def verdicts(variants: Sequence[str], tables: Sequence[Table], outcomes: Sequence[Outcome]) -> list[Verdict]:
    """Verdicts of all variants in all tasks at all scales, in the order of the tables and then of the variants.

    The p-values are adjusted over all of them (Holm). Variants with trials that diverged or were stopped get words in
    place of a test and take no part in the adjustment.
    """
    groups = [[_matched(variant, table, outcomes) for variant in variants] for table in tables]
    adjusted = iter(holm([one.p for group in groups for one in group if one.p is not None]))
    return [
        _judged(one, gain, None if one.p is None else next(adjusted))
        for group in groups
        for one, gain in zip(group, _gains(group), strict=True)
    ]


def _matched(variant: str, table: Table, outcomes: Sequence[Outcome]) -> Matched:
    a, b = table.paired(BASE, variant)
    words = _words(variant, table.scale, outcomes, pairs=len(a))
    found, p = None, None
    if len(a) >= 2:
        try:
            found = seed_difference(a, b, table.items)
        except ValueError:
            # No noise is seen, so nothing can be held against it: a difference that is 1 of 20 items under both of
            # two seeds is no certainty.
            p, without = 1.0, "not distinguishable (no difference under any seed)"
            if not np.allclose(a, b, rtol=ROUNDING, atol=0):
                without = "not distinguishable (the same difference under all seeds, which hides their noise)"
        else:
            p, without = found.p, ""
        words, p = (words, None) if words else (without, p)
    return Matched(variant=variant, table=table, a=a, b=b, found=found, words=words, p=p)


def _words(variant: str, scale: float, outcomes: Sequence[Outcome], *, pairs: int) -> str:
    """The verdict where a test cannot give one, or should not have the last word."""
    mine = [outcome.state for outcome in outcomes if outcome.variant == variant and outcome.scale == scale]
    base = [outcome.state for outcome in outcomes if outcome.variant == BASE and outcome.scale == scale]
    if DIVERGED in mine:
        return f"diverged ({mine.count(DIVERGED)} of {len(mine)} seeds)"
    if HALVED in mine:
        return "stopped by halving"
    if pairs >= 2:
        return ""
    if DIVERGED in base:
        return f"base diverged ({base.count(DIVERGED)} of {len(base)} seeds)"
    return f"not enough seeds ({pairs} of {len(mine)})"


def _gains(group: Sequence[Matched]) -> list[Gain | None]:
    """The expected gain of each variant that has one, learned from all variants of the task."""
    known = [one for one in group if one.found is not None]
    halves = [(one.found.high - one.found.low) / 2 for one in known if one.found]
    gains = [one.sign * one.found.effect for one in known if one.found]
    errors = [one.found.spread / np.sqrt(len(one.a)) for one in known if one.found]
    # The interval keeps the width of the difference's own: in simulations it covers 94 to 99%, that of the best of
    # up to 8 variants 92 to 97%.
    values = iter(
        Gain(value=value, low=value - half, high=value + half)
        for value, half in zip(expected_gains(gains, errors), halves, strict=True)
    )
    return [None if one.found is None else next(values) for one in group]


def _judged(one: Matched, gain: Gain | None, p_adjusted: float | None) -> Verdict:
    found, words, more = one.found, one.words, None
    if found is not None and p_adjusted is not None:
        words = verdict(found, p_adjusted=p_adjusted, lower_is_better=one.table.metric.lower_is_better)
        if p_adjusted >= LEVEL:
            more = found.needed(level_after(found.p, p_adjusted))
    return Verdict(
        variant=one.variant,
        task=one.table.task,
        metric=one.table.metric.name,
        scale=one.table.scale,
        base_value=float(one.a.mean()) if len(one.a) else None,
        value=float(one.b.mean()) if len(one.b) else None,
        difference=one.difference,
        low=found.low if found else None,
        high=found.high if found else None,
        p=one.p,
        p_adjusted=p_adjusted,
        seeds=len(one.a),
        more_seeds=more,
        expected_gain=gain,
        verdict=words,
        test=found.test if found else "none",
    )
