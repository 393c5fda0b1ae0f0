"""The values of all trials in one task at one scale, on the items that all of them have."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.lab.ablation.definition import BITS_PER_BYTE
from smidgen.lab.ablation.outcome import Outcome, TaskResults
from smidgen.lab.comparison import why_not_comparable
from smidgen.lab.item_results import shared_values
from smidgen.lab.metric import Metric


@dataclass(frozen=True, kw_only=True)
class Table:
    """``values`` by variant and seed; ``items`` is how many they were computed on."""

    task: str
    metric: Metric
    scale: float
    items: int
    values: dict[tuple[str, int], float]

    def of(self, variant: str) -> dict[int, float]:
        """The variant's values by seed."""
        return {seed: value for (name, seed), value in self.values.items() if name == variant}

    def paired(self, first: str, second: str) -> tuple[np.ndarray, np.ndarray]:
        """Values of two variants under the seeds that both have, in the order of these."""
        a, b = self.of(first), self.of(second)
        both = [seed for seed in a if seed in b]
        return np.array([a[seed] for seed in both]), np.array([b[seed] for seed in both])


def tables(outcomes: Sequence[Outcome]) -> tuple[list[Table], list[str]]:
    """A table for each scale and task that any trial was scored on, and what stands against others, in words."""
    found, warnings = [], []
    for scale in dict.fromkeys(outcome.scale for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.scale == scale and outcome.is_over]
        if mine and not any(BITS_PER_BYTE in outcome.tasks for outcome in mine):
            # Nobody came to be scored, which is a finding of its own.
            found.append(Table(task=BITS_PER_BYTE, metric=Metric("bits_per_byte"), scale=scale, items=0, values={}))
        for task in dict.fromkeys(task for outcome in mine for task in outcome.tasks):
            scored = [outcome for outcome in mine if task in outcome.tasks]
            results = [outcome.tasks[task] for outcome in scored]
            metric = results[0].metric
            try:
                _check_comparable(results, metric)
                values, n = shared_values([one.items for one in results], metric)
            except ValueError as error:
                warnings.append(f"{task}: the trials are not compared, because {error}")
                continue
            warnings += _lost_items(task, results, n)
            named = {(one.variant, one.seed): float(value) for one, value in zip(scored, values, strict=True)}
            found.append(Table(task=task, metric=metric, scale=scale, items=n, values=named))
    return found, list(dict.fromkeys(warnings))


def _check_comparable(results: Iterable[TaskResults], metric: Metric) -> None:
    first, *others = results
    for other in others:
        if other.metric != metric:
            raise ValueError(f"some were scored by {metric.name} and some by {other.metric.name}")
        if reason := why_not_comparable(first.tokenizer_sha256, other.tokenizer_sha256, metric):
            raise ValueError(reason)


def _lost_items(task: str, results: Sequence[TaskResults], n: int) -> Iterator[str]:
    most = max(len(one.items.keys) for one in results)
    if n < most:
        yield f"{task}: the trials were scored on different items; compared on the {n:,} of {most:,} that all have"
