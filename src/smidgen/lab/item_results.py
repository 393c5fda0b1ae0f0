"""What a model did on the items of one task, without the items: a run's part in comparisons of many runs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from smidgen.lab.metric import Metric
from smidgen.lab.score_record import Identity, ScoredTask

# What an item must share with its namesake to be the same item.
CONTENT = ("labels", "characters", "bytes", "words")


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemResults:
    """``keys`` tell items apart by name and content; ``results`` are credits or nats with their weights, [items, 2].

    An item takes 24 bytes, so that the runs of many trials fit into memory together.
    """

    keys: np.ndarray
    results: np.ndarray


def item_results(task: ScoredTask, metric: Metric) -> ItemResults:
    """Results of all items in the order of their keys. Raises ``ValueError`` where an item lacks the metric."""
    keys = np.array([_key(identity, task) for identity in task.by_identity], dtype=np.uint64)
    results = np.array([metric.result_of(item) for item in task.by_identity.values()], dtype=np.float64)
    order = np.argsort(keys)
    return ItemResults(keys=keys[order], results=results[order])


def shared_values(runs: Sequence[ItemResults], metric: Metric) -> tuple[np.ndarray, int]:
    """Each run's value on the items that all runs have, and how many these are. Raises ``ValueError`` for none."""
    shared = reduce(lambda keys, run: np.intersect1d(keys, run.keys, assume_unique=True), runs[1:], runs[0].keys)
    if not len(shared):
        raise ValueError("the runs have no item in common")
    sums = [run.results[np.searchsorted(run.keys, shared)].sum(axis=0) for run in runs]
    return np.array([float(metric.value(total / weight)) for total, weight in sums]), len(shared)


def _key(identity: Identity, task: ScoredTask) -> int:
    item = task.by_identity[identity]
    content = repr((identity, [item.get(key) for key in CONTENT])).encode()
    # Among a million items two share a key with a chance of 3 in a hundred million.
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
