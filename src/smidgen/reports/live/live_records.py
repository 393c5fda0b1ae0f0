"""What a run has measured so far, as its live page shows it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.records import measurements
from smidgen.records.run_folder import RunFolder
from smidgen.reports.stored.json_file import damage_named
from smidgen.reports.stored.recipe import StoredRecipe, read_recipe
from smidgen.reports.stored.samples import Sample, read_each
from smidgen.reports.stored.training import TrainingPoint, TrainingRecord, event_words, training_record
from smidgen.reports.stored.values import mapping, number, numbers, sequence, text, whole

# The speed that the time left is computed from is that of so many measurements (assumed).
RECENT_POINTS = 20


@dataclass(frozen=True, kw_only=True)
class TrialScore:
    """A score of a quick evaluation with its interval; ``chance`` is None where the task has none."""

    task: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    chance: float | None


@dataclass(frozen=True, kw_only=True)
class TrialPoint:
    step: int
    tokens: int
    scores: tuple[TrialScore, ...]
    skipped: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class SamplePoint:
    step: int
    tokens: int
    samples: tuple[Sample, ...]
    loop_share: float


@dataclass(frozen=True, kw_only=True)
class StatisticsPoint:
    """By part of the model its values by name."""

    step: int
    tokens: int
    parts: dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class LiveRecords:
    name: str
    recipe: StoredRecipe | None
    training: TrainingRecord | None
    trials: tuple[TrialPoint, ...]
    samples: tuple[SamplePoint, ...]
    statistics: tuple[StatisticsPoint, ...]
    events: tuple[str, ...]

    @property
    def last(self) -> TrainingPoint | None:
        return self.training.points[-1] if self.training and self.training.points else None

    @property
    def planned_tokens(self) -> int | None:
        return self.recipe.planned_tokens if self.recipe else None

    @property
    def share_done(self) -> float | None:
        """Between 0 and 1, None where no plan is known."""
        if not self.planned_tokens:
            return None
        return min(1.0, self.training.tokens / self.planned_tokens) if self.training else 0.0

    @property
    def is_complete(self) -> bool:
        return bool(self.training and self.recipe and self.recipe.is_fulfilled_by(self.training.tokens))

    @property
    def seconds_left(self) -> float | None:
        """At the speed of late, with the time for measuring and saving."""
        if not (self.training and self.planned_tokens and len(self.training.points) > 1):
            return None
        first, last = self.training.points[-RECENT_POINTS:][0], self.training.points[-1]
        if last.tokens <= first.tokens:
            return None
        seconds_per_token = (last.seconds - first.seconds) / (last.tokens - first.tokens)
        return max(0, self.planned_tokens - last.tokens) * seconds_per_token


def read_live(run: RunFolder) -> LiveRecords:
    """Raises ``BadInput`` for a damaged recipe and for measurements that cannot be understood."""
    recipe = read_recipe(run)
    with damage_named(run.measurements):
        lines = measurements.read_all(run.measurements)
        return LiveRecords(
            name=recipe.name if recipe else text(Path(run.path).resolve().name),
            recipe=recipe,
            training=training_record(lines),
            trials=tuple(_trial(line) for line in lines.get(measurements.EVALUATION, ())),
            samples=tuple(_samples(line) for line in lines.get(measurements.SAMPLES, ())),
            statistics=tuple(_statistics(line) for line in lines.get(measurements.STATISTICS, ())),
            events=tuple(event_words(line) for line in lines.get(measurements.EVENT, ())),
        )


def _place(line: dict[str, Any]) -> dict[str, int]:
    return {"step": whole(line["step"]), "tokens": whole(line["tokens"])}


def _trial(line: dict[str, Any]) -> TrialPoint:
    chances = {task: numbers(values).get("chance") for task, values in mapping(line.get("baselines") or {}).items()}
    scores = tuple(
        _score(task, metric, mapping(score), chances.get(task))
        for task, metrics in mapping(line["scores"]).items()
        for metric, score in mapping(metrics).items()
    )
    skipped = {task: text(reason) for task, reason in mapping(line.get("skipped") or {}).items()}
    return TrialPoint(**_place(line), scores=scores, skipped=skipped)


def _score(task: str, metric: str, score: dict[str, Any], chance: float | None) -> TrialScore:
    value, low, high = (number(score[key]) for key in ("value", "low", "high"))
    return TrialScore(task=task, metric=metric, value=value, low=low, high=high, n=whole(score["n"]), chance=chance)


def _samples(line: dict[str, Any]) -> SamplePoint:
    return SamplePoint(**_place(line), samples=read_each(line["samples"]), loop_share=number(line["loop_share"]))


def _statistics(line: dict[str, Any]) -> StatisticsPoint:
    parts = {}
    for part in map(mapping, sequence(line["parts"])):
        parts[text(part["name"])] = numbers({key: value for key, value in part.items() if key != "name"})
    return StatisticsPoint(**_place(line), parts=parts)
