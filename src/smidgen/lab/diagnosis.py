"""Where a score comes from: margins, calibration, parts of a task, and the items on which two models differ.

Everything here reads score records (the JSON of ``smidgen evaluate``) and needs no model.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import permutations
from typing import Any

import numpy as np

from smidgen.evaluation.score import Score, accuracy, bits_per_byte

Record = Mapping[str, Any]
Item = Mapping[str, Any]

BITS_PER_BYTE = "bits_per_byte"
# What a metric divides an ending's log-probability by.
_LENGTHS = {"acc": "", "acc_norm": "characters", "acc_bytes": "bytes"}
# An answer is right when it earns more: a tie of two does not, nor does half the mass of TruthfulQA-mc2.
HALF = 0.5
RELIABILITY_BINS = 10
# 400 resamples of 70,000 items take 0.5 s and place a 95% bound within a tenth of the interval's width.
CALIBRATION_RESAMPLES = 400


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """An item that one of two models gets right. Choices are indices of endings, margins in nats (or nats per
    character, token or byte, as the metric normalises); None where the item is no choice.
    """

    item: str
    groups: tuple[str, ...]
    labels: tuple[int, ...]
    choice_a: int | None
    choice_b: int | None
    margin_a: float | None
    margin_b: float | None

    @property
    def gap(self) -> float:
        """How far apart the models are on this item."""
        return abs((self.margin_a or 0.0) - (self.margin_b or 0.0))


@dataclass(frozen=True, kw_only=True)
class Disagreements:
    """Items that both models answered, split by who was right; the clearest differences come first.

    ``only_a`` (n10 of McNemar's test) are those that only model a has right, ``only_b`` (n01) only model b; ``alike``
    counts those that both or neither have.
    """

    only_a: tuple[Disagreement, ...]
    only_b: tuple[Disagreement, ...]
    alike: int

    @property
    def n(self) -> int:
        return self.alike + len(self.only_a) + len(self.only_b)


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Shares of each named sample in bins between common ``edges``; what lies beyond counts in the outer bins."""

    edges: tuple[float, ...]
    shares: dict[str, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Items of similar confidence: their mean confidence, and how many were right."""

    confidence: float
    accuracy: Score


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Reliability bins, and the expected calibration error with a bootstrap interval over items."""

    bins: tuple[ReliabilityBin, ...]
    error: Score


def items_of(record: Record, task: str) -> dict[str, Item]:
    """Items by key, of a whole task or, for "task/group", of one of its groups."""
    name, _, group = task.partition("/")
    return {
        item["item"]: item
        for item in record.get("items", ())
        if item["task"] == name and "item" in item and (not group or group in item.get("groups", ()))
    }


def margin(item: Item, metric: str) -> float | None:
    """The score of the best right ending minus that of the best wrong one; None where there is no such pair."""
    scores = ending_scores(item, metric)
    right = [score for index, score in enumerate(scores) if index in item["labels"]]
    wrong = [score for index, score in enumerate(scores) if index not in item["labels"]]
    return max(right) - max(wrong) if right and wrong else None


def ending_scores(item: Item, metric: str) -> list[float]:
    """What the metric compares: log-probabilities in nats, or these per character, token or byte."""
    values = item.get("log_probabilities")
    if values is None or metric not in _LENGTHS:
        return []
    # Only tasks whose acc_norm is a mean over tokens keep these (ArithMark 3).
    kind = "tokens" if metric == "acc_norm" and "tokens" in item else _LENGTHS[metric]
    lengths = item.get(kind, [1] * len(values))
    return [value / max(1, length) for value, length in zip(values, lengths, strict=True)]


def margins(record: Record, task: str, metric: str) -> dict[str, float]:
    """The margin of each item of a task that has one."""
    items = items_of(record, task)
    return {key: value for key, item in items.items() if (value := margin(item, metric)) is not None}


def disagreements(a: Record, b: Record, task: str, metric: str) -> Disagreements:
    """The items of ``task`` that one of two records has right under ``metric`` and the other has not."""
    of_a, of_b = items_of(a, task), items_of(b, task)
    margins_a, margins_b = margins(a, task, metric), margins(b, task, metric)
    common = [key for key in of_a if key in of_b and metric in of_a[key] and metric in of_b[key]]
    sides: dict[int, list[Disagreement]] = {-1: [], 1: []}
    for key in common:
        if side := (of_b[key][metric] > HALF) - (of_a[key][metric] > HALF):
            found = _disagreement(of_a[key], of_b[key], metric, margins_a.get(key), margins_b.get(key))
            sides[side].append(found)
    ordered = {side: tuple(sorted(found, key=lambda one: (-one.gap, one.item))) for side, found in sides.items()}
    alike = len(common) - len(ordered[-1]) - len(ordered[1])
    return Disagreements(only_a=ordered[-1], only_b=ordered[1], alike=alike)


def histogram(samples: Mapping[str, Sequence[float]], bins: int = 32) -> Histogram:
    """Bins from the 0.5th to the 99.5th percentile of all samples together, with an edge at zero.

    Raises ``ValueError`` when a sample is empty.
    """
    if not samples or not all(len(values) for values in samples.values()):
        raise ValueError("a histogram needs at least one value of each sample")
    low, high = np.percentile(np.concatenate([np.asarray(values) for values in samples.values()]), [0.5, 99.5])
    low, high = min(low, 0.0), max(high, 0.0)
    width = (high - low) / bins or 1.0
    edges = width * np.arange(math.floor(low / width), math.ceil(high / width) + 1)
    if len(edges) < 2:
        edges = np.array([-width, 0.0, width])
    shares = {
        name: np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / len(values)
        for name, values in samples.items()
    }
    return Histogram(
        edges=tuple(edges.tolist()), shares={name: tuple(share.tolist()) for name, share in shares.items()}
    )


def calibration(record: Record, task: str, metric: str = "acc") -> Calibration | None:
    """How often a model is right that is so sure; None without choices that have one right ending.

    Confidence is the largest share of a softmax over the endings' scores. With ``acc`` these are log-probabilities,
    so the shares are the model's own; other metrics divide by lengths and make every model look unsure. The expected
    calibration error is the mean distance of accuracy from confidence over ten bins of equal width (Guo et al. 2017,
    arXiv:1706.04599).
    """
    items = [
        item
        for item in items_of(record, task).values()
        if ending_scores(item, metric) and metric in item and len(item["labels"]) == 1
    ]
    if not items:
        return None
    confidence = np.array([_confidence(ending_scores(item, metric)) for item in items])
    credit = np.array([item[metric] for item in items], dtype=float)
    place = np.minimum((confidence * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    bins = [_reliability(confidence[place == number], credit[place == number]) for number in np.unique(place)]
    return Calibration(bins=tuple(bins), error=_calibration_error(place, credit - confidence))


def parts(record: Record, task: str, metric: str) -> dict[str, Score]:
    """The score of each part of a task: as stored under "task/part", else from the groups of its items.

    Accuracies come with Wilson intervals over items, bits per byte with bootstrap intervals over documents.
    """
    stored = {
        name.partition("/")[2]: _stored_score(metrics[metric])
        for name, metrics in record.get("scores", {}).items()
        if name.startswith(f"{task}/") and metric in metrics
    }
    grouped: dict[str, list[Item]] = defaultdict(list)
    for item in items_of(record, task).values():
        for group in item.get("groups", ()):
            grouped[group].append(item)
    missing = {group: _score_of(items, metric) for group, items in grouped.items() if group not in stored}
    return {**stored, **{group: score for group, score in missing.items() if score}}


def outer_groups(record: Record, task: str) -> list[str]:
    """The groups of a task's items that lie in no larger one: BLiMP's phenomena rather than its 67 sets."""
    sizes: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    for item in items_of(record, task).values():
        groups = item.get("groups", ())
        sizes.update(groups)
        together.update(permutations(groups, 2))
    inner = {small for (small, large), times in together.items() if times == sizes[small] < sizes[large]}
    return [group for group in sizes if group not in inner]


def bits_by_domain(record: Record) -> dict[str, Score]:
    """Bits per byte of every task that has them, each followed by its parts, as "task" and "task/part"."""
    domains = {}
    for task, metrics in record.get("scores", {}).items():
        if BITS_PER_BYTE in metrics and "/" not in task:
            domains[task] = _stored_score(metrics[BITS_PER_BYTE])
            found = parts(record, task, BITS_PER_BYTE)
            domains |= {f"{task}/{part}": score for part, score in found.items()}
    return domains


def _disagreement(
    of_a: Item, of_b: Item, metric: str, margin_a: float | None, margin_b: float | None
) -> Disagreement:
    return Disagreement(
        item=of_a["item"],
        groups=tuple(of_a.get("groups", ())),
        labels=tuple(of_a.get("labels", ())),
        choice_a=None if margin_a is None else _choice(of_a, metric),
        choice_b=None if margin_b is None else _choice(of_b, metric),
        margin_a=margin_a,
        margin_b=margin_b,
    )


def _choice(item: Item, metric: str) -> int:
    scores = ending_scores(item, metric)
    return scores.index(max(scores))


def _confidence(scores: Sequence[float]) -> float:
    best = max(scores)
    return 1 / sum(math.exp(score - best) for score in scores)


def _reliability(confidence: np.ndarray, credit: np.ndarray) -> ReliabilityBin:
    return ReliabilityBin(confidence=float(confidence.mean()), accuracy=accuracy(credit.tolist()))


def _calibration_error(place: np.ndarray, gaps: np.ndarray) -> Score:
    """From each item's bin, and its credit minus the confidence in it."""
    n = len(gaps)

    def error(chosen: np.ndarray | slice) -> float:
        return float(np.abs(np.bincount(place[chosen], weights=gaps[chosen])).sum() / n)

    generator = np.random.default_rng(0)
    resampled = [error(generator.integers(0, n, n)) for _ in range(CALIBRATION_RESAMPLES)]
    low, high = np.percentile(resampled, [2.5, 97.5])
    value = error(slice(None))
    # Noise only adds to a mean of distances, so the resamples of a well calibrated model lie above its value.
    return Score(value=value, low=min(float(low), value), high=max(float(high), value), n=n)


def _score_of(items: Sequence[Item], metric: str) -> Score | None:
    if metric == BITS_PER_BYTE:
        texts = [item for item in items if item.get("bytes") and "nats" in item]
        return bits_per_byte([item["nats"] for item in texts], [item["bytes"] for item in texts]) if texts else None
    credits = [item[metric] for item in items if metric in item]
    return accuracy(credits) if credits else None


def _stored_score(values: Mapping[str, Any]) -> Score:
    return Score(**{field.name: values[field.name] for field in fields(Score) if field.name in values})
