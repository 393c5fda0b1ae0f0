"""From the results of items to scores with intervals, by the aggregation that lm-evaluation-harness names."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from lm_eval.api import metrics
from lm_eval.api.task import ConfigurableTask

from smidgen.evaluation.lm_eval.definition import Definition
from smidgen.evaluation.lm_eval.result import Result
from smidgen.evaluation.perplexity import document_scores
from smidgen.evaluation.score import Score, accuracy, perplexity

# Each one calls an aggregation over all items, which takes milliseconds for some.
RESAMPLES = 500

Aggregation = Callable[[Sequence[Any]], float]


def task_scores(task: ConfigurableTask, results: Sequence[Result]) -> dict[str, Score]:
    """The metrics that the task names, with their aggregations."""
    if task.OUTPUT_TYPE == "loglikelihood_rolling":
        found = document_scores([result.record for result in results])
        return {metric: found[metric] for metric in task.aggregation() if metric in found}
    truncated = sum(result.record["truncated"] for result in results)
    return {
        metric: aggregated(
            [result.values[metric] for result in results if metric in result.values],
            aggregation,
            ties=sum(metric in result.tied for result in results),
            truncated=truncated,
        )
        for metric, aggregation in task.aggregation().items()
        if any(metric in result.values for result in results)
    }


def group_scores(definition: Definition, scores: dict[str, dict[str, Score]]) -> dict[str, dict[str, Score]]:
    """The metrics of the groups that combine those of their tasks; other groups are just lists of tasks."""
    found: dict[str, dict[str, Score]] = {}
    for name, group in definition.groups.items():
        members = [scores[task.task_name] for task in group.get_all_tasks()]
        for asked in group.aggregate_metric_list or ():
            parts = [member[asked.metric] for member in members if asked.metric in member]
            if parts:
                found.setdefault(name, {})[asked.metric] = combined(parts, weight_by_size=asked.weight_by_size)
    return found


def chance(results: Sequence[Result]) -> dict[str, float]:
    """The share of right endings, where the task says which are right."""
    records = [result.record for result in results if result.record.get("labels")]
    shares = [len(record["labels"]) / len(record["characters"]) for record in records]
    return {"chance": sum(shares) / len(shares)} if shares else {}


def aggregated(values: Sequence[Any], aggregation: Aggregation, *, ties: int = 0, truncated: int = 0) -> Score:
    """The score of a metric: with Wilson's interval for a mean of shares, else with a bootstrap over items.

    ``values`` hold what the aggregation takes, such as (label, choice) for F1.
    """
    if aggregation is metrics.mean and all(0 <= value <= 1 for value in values):
        return accuracy(values, ties=ties, truncated=truncated)
    if aggregation is metrics.perplexity:
        return perplexity([-value for value in values], [1] * len(values), truncated=truncated)
    low, high = _bootstrap_interval(values, aggregation)
    value = float(aggregation(values))
    return Score(value=value, low=low, high=high, n=len(values), ties=ties, truncated=truncated)


def combined(scores: Sequence[Score], *, weight_by_size: bool) -> Score:
    """The mean of tasks, weighted by their numbers of items or not, as a group of tasks defines it.

    The interval adds the squared distances of the tasks' own bounds (MOVER, Zou & Donner 2008, Statistics in
    Medicine 27:1693).
    """
    sizes = [score.n for score in scores]
    value = metrics.aggregate_subtask_metrics([score.value for score in scores], sizes, weight_by_size)
    weights = [size / sum(sizes) if weight_by_size else 1 / len(sizes) for size in sizes]
    parts = list(zip(weights, scores, strict=True))
    return Score(
        value=value,
        low=value - math.hypot(*(weight * (score.value - score.low) for weight, score in parts)),
        high=value + math.hypot(*(weight * (score.high - score.value) for weight, score in parts)),
        n=sum(sizes),
        ties=sum(score.ties for score in scores),
        truncated=sum(score.truncated for score in scores),
        stderr=_combined_stderr([score.stderr for score in scores], sizes, weight_by_size),
    )


def _combined_stderr(errors: Sequence[float | None], sizes: Sequence[int], weight_by_size: bool) -> float | None:
    known = [error for error in errors if error is not None]
    if len(known) < len(errors):
        return None
    return metrics.pooled_sample_stderr(known, sizes) if weight_by_size else metrics.unweighted_mean_stderr(known)


def _bootstrap_interval(values: Sequence[Any], aggregation: Aggregation) -> tuple[float, float]:
    generator = np.random.default_rng(0)
    draws = generator.integers(len(values), size=(RESAMPLES, len(values)))
    found = [aggregation([values[index] for index in draw]) for draw in draws.tolist()]
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
