"""Scores as people read them: names, values with intervals, and what is reached without a model."""

from smidgen.reports import words
from smidgen.reports.stored.scores import Score

_METRICS = {"acc": "accuracy", "acc_norm": "length-normalised accuracy", "exact_match": "exact match"}


def metric_name(score: Score) -> str:
    return "accuracy" if score.is_part_by_metric else _METRICS.get(score.metric, score.metric.replace("_", " "))


def full_name(score: Score) -> str:
    """ "arithmetic, 1 operator, exact match"; that a score is an accuracy goes without saying."""
    names = [score.family, score.part, "" if metric_name(score) == "accuracy" else metric_name(score)]
    return ", ".join(name for name in names if name)


def name_within_task(score: Score) -> str:
    """ "1 operator, exact match"; a score of the whole task is of "all items"."""
    names = [score.part or "all items", "" if metric_name(score) == "accuracy" else metric_name(score)]
    return ", ".join(name for name in names if name)


def with_interval(score: Score) -> str:
    """ "61.2% (59.0 to 63.3)", or in the metric's own unit; without an interval the value alone."""
    if score.low is None or score.high is None:
        return value(score, score.value)
    if score.is_fraction:
        return f"{words.percent(score.value)} ({100 * score.low:.1f} to {100 * score.high:.1f})"
    return f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})"


def value(score: Score, number: float) -> str:
    """A number in the unit of a score."""
    return words.percent(number) if score.is_fraction else f"{number:.3f}"


def without_model(score: Score) -> str:
    """ "chance 25.0%, longest 27.1%"."""
    return ", ".join(f"{name} {value(score, reached)}" for name, reached in score.baselines.items())
