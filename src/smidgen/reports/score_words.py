"""Scores as people read them: names, values with intervals, and what is reached without a model."""

from smidgen.evaluation.tasks.catalogue import BENCHMARKS
from smidgen.reports import words
from smidgen.reports.stored.scores import Index, Score, ScoreFile

_METRICS = {
    "acc": "accuracy",
    "acc_norm": "length-normalised accuracy",
    "acc_bytes": "byte-normalised accuracy",
    "exact_match": "exact match",
}
_INDICES = {
    "intelligence_index": "Open SLM Intelligence Index",
    "glint_overall": "Glint Tiny-ML overall score",
}
# Beyond it a perplexity is only an order of magnitude: 1 nat per word more or less is a factor of 2.7.
_LARGE = 1e6
_ENDLESS = 1e15


def task_title(task: str) -> str:
    """As its authors write it, where it is a benchmark: "ARC-Easy"."""
    if task in BENCHMARKS:
        return BENCHMARKS[task].title
    spoken = task.replace("_", " ").replace("-", " ")
    return spoken[:1].upper() + spoken[1:]


def index_title(name: str) -> str:
    return _INDICES.get(name, name.replace("_", " "))


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
    return f"{_quantity(score.value)} ({_quantity(score.low)} to {_quantity(score.high)})"


def value(score: Score, number: float) -> str:
    """A number in the unit of a score."""
    return words.percent(number) if score.is_fraction else _quantity(number)


def index_with_interval(index: Index) -> str:
    """ "-0.52 (-3.10 to 2.06)", in percent with chance at 0 or as the leaderboard defines it."""
    interval = index_interval(index)
    return index_value(index.value) + (f" ({interval})" if interval else "")


def index_interval(index: Index) -> str:
    if index.low is None or index.high is None:
        return ""
    return f"{index_value(index.low)} to {index_value(index.high)}"


def index_value(number: float) -> str:
    return f"{number:.2f}".replace("-", "\u2212")


def without_model(score: Score) -> str:
    """ "chance 25.0%, longest 27.1%"."""
    return ", ".join(f"{name} {value(score, reached)}" for name, reached in score.baselines.items())


def items(score: Score) -> str:
    """ "1,710 (12 ties, 236 cut)", or a dash where nobody counted."""
    if score.n is None:
        return "–"
    counted = {"ties" if score.ties > 1 else "tie": score.ties, "cut": score.truncated}
    details = ", ".join(f"{count:,} {name}" for name, count in counted.items() if count)
    return f"{score.n:,} ({details})" if details else f"{score.n:,}"


def conditions(file: ScoreFile) -> str:
    """ "exact precision, a window of 256 tokens, at most 30 items of each task or part", as far as a file says so."""
    said = [
        f"{file.precision} precision" if file.precision else "",
        f"a window of {file.max_length:,} tokens" if file.max_length else "",
        f"at most {words.plural(file.limit, 'item')} of each task or part" if file.limit else "",
    ]
    return ", ".join(part for part in said if part)


def notes(file: ScoreFile) -> list[str]:
    """What must be known to trust the quoted scores: warnings of scoring, ties, and contexts that were cut."""
    whole = [score for score in file.quoted if not score.is_detail]
    return [
        *(f"{warning.removesuffix('.')}." for warning in file.warnings),
        *(
            f"{full_name(score)}: several endings share the best score in {_of_all(score, score.ties)}; "
            "a right one among k of them counts 1/k."
            for score in whole
            if score.ties
        ),
        *(
            f"{full_name(score)}: {_of_all(score, score.truncated)} did not fit into the window "
            "and lost the beginning of their context."
            for score in whole
            if score.truncated
        ),
    ]


def _of_all(score: Score, count: int) -> str:
    return f"{count:,} of {score.n:,} items" if score.n else words.plural(count, "item")


def _quantity(number: float) -> str:
    if abs(number) < 10:
        return f"{number:.3f}"
    if abs(number) < 1000:
        return f"{number:.1f}"
    if abs(number) < _LARGE:
        return f"{number:,.0f}"
    return words.count(number) if number < _ENDLESS else f"{number:.0e}"
