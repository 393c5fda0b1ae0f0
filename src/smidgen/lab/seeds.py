"""Two recipes by several runs of each: the noise between trainings decides, not the noise between items."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import stats

from smidgen.errors import BadInput
from smidgen.lab.comparison import (
    Findings,
    Matched,
    judged,
    metric_of,
    nothing_to_compare,
    tasks_of,
    why_not_comparable,
)
from smidgen.lab.difference import LEVEL, POWER, Difference, normal_quantile
from smidgen.lab.item_results import item_results, shared_values
from smidgen.lab.score_record import ScoreRecord

# Far above the rounding of float64 and far below any difference between trainings.
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class SeedDifference(Difference):
    """A difference of means over runs.

    ``spread`` is the deviation that the mean's error comes from: of the paired differences, or of both groups
    together; ``groups`` is 1 or 2 accordingly, ``fewest`` the runs of the smaller side.
    """

    groups: int
    fewest: int
    most_needed: ClassVar[int] = 1000

    def needed(self, level: float = LEVEL) -> int | None:
        """More seeds for each side, at 80% power (normal sample size with Guenther's term for Student's t, 1981)."""
        if self.effect == 0:
            return None
        z = normal_quantile(level)
        wanted = ((z + stats.norm.ppf(POWER)) * self.spread / self.effect) ** 2 + z**2 / (2 * self.groups)
        return max(1, math.ceil(wanted) - self.fewest) if wanted <= self.most_needed else None


def compare_seeds(
    a: Sequence[ScoreRecord],
    b: Sequence[ScoreRecord],
    *,
    metric: str | None = None,
    tasks: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Runs of recipe b against runs of recipe a, on the items that all of them have.

    With as many runs on either side they are paired by position (the first of a with the first of b: give runs of
    the same seed the same place) and a paired t-test decides, else Welch's. Pairing runs that have nothing in common
    costs power but stays valid. Result as of ``compare_records``.

    Raises ``BadInput`` for fewer than two runs of a side, a run given twice, or when nothing can be compared.
    """
    _check_groups(a, b)
    label_a, label_b = _group_label(a), _group_label(b)
    if label_a == label_b:
        label_a, label_b = f"{label_a} (first group)", f"{label_b} (second group)"
    findings = Findings()
    for name in tasks_of(a[0], tasks):
        scored = [task for record in (*a, *b) if (task := record.task(name))]
        if len(scored) < len(a) + len(b):
            continue
        chosen = metric_of(scored[0], scored[-1], metric)
        if chosen is None or any(metric_of(scored[0], task, chosen.name) is None for task in scored):
            continue
        tokenizers = [record.tokenizer_sha256 for record in (*a, *b)]
        reasons = [reason for other in tokenizers if (reason := why_not_comparable(tokenizers[0], other, chosen))]
        try:
            values, n = shared_values([item_results(task, chosen) for task in scored], chosen)
            found = seed_difference(values[: len(a)], values[len(a) :], n)
        except ValueError as error:
            reasons.append(str(error))
        if reasons:
            findings.refuse(name, chosen.name, label_a, label_b, reasons[0])
        else:
            findings.matched.append(Matched(task=name, metric=chosen, a=label_a, b=label_b, difference=found))
    if not findings.matched:
        raise BadInput(nothing_to_compare(findings, metric))
    return judged(findings)


def seed_difference(a: np.ndarray, b: np.ndarray, n: int) -> SeedDifference:
    """Values of recipe b's runs against those of recipe a's, on ``n`` items; paired where there are as many.

    Raises ``ValueError`` where the runs do not differ, which tells nothing about their noise.
    """
    paired = len(a) == len(b)
    if paired:
        variance, freedom = np.var(b - a, ddof=1) / len(a), len(a) - 1.0
    else:
        parts = np.array([np.var(side, ddof=1) / len(side) for side in (a, b)])
        variance = parts.sum()
        freedom = variance**2 / (parts**2 / (np.array([len(a), len(b)]) - 1)).sum() if variance > 0 else 0.0
    # What rounding leaves of equal differences must not pass for a very small noise.
    if not np.sqrt(variance) > ROUNDING * max(np.abs(a).max(), np.abs(b).max()):
        raise ValueError("the runs of a side do not differ; give runs of different seeds")
    effect, error = float(b.mean() - a.mean()), float(np.sqrt(variance))
    half = float(stats.t.ppf(1 - LEVEL / 2, freedom)) * error
    spread = float(np.std(b - a, ddof=1)) if paired else float(np.sqrt(np.var(a, ddof=1) + np.var(b, ddof=1)))
    return SeedDifference(
        value_a=float(a.mean()),
        value_b=float(b.mean()),
        low=effect - half,
        high=effect + half,
        p=float(2 * stats.t.sf(abs(effect) / error, freedom)),
        test="paired t over seeds" if paired else "Welch's t over seeds",
        n=n,
        discordant=None,
        effect=effect,
        null_spread=spread,
        spread=spread,
        noun="more seeds",
        groups=1 if paired else 2,
        fewest=min(len(a), len(b)),
    )


def _check_groups(a: Sequence[ScoreRecord], b: Sequence[ScoreRecord]) -> None:
    if min(len(a), len(b)) < 2:
        raise BadInput(
            f"{len(a)} and {len(b)} runs given, at least 2 of each side are needed: "
            "smidgen compare --seeds A1,A2,A3 B1,B2,B3"
        )
    seen: dict[str, str] = {}
    for record in (*a, *b):
        if record.weights_sha256 and record.weights_sha256 in seen:
            raise BadInput(
                f"{record.origin} and {seen[record.weights_sha256]} hold the same weights; "
                "give runs that were trained with different seeds"
            )
        seen[record.weights_sha256] = record.origin


def _group_label(records: Sequence[ScoreRecord]) -> str:
    names = list(dict.fromkeys(record.model for record in records))
    return names[0] if len(names) == 1 else ", ".join(names)
