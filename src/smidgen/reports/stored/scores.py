"""``scores/*.json``: what the model was scored on, with intervals and with what trivial rules reach."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, number, numbers, optional, text, whole

BITS_PER_BYTE = "bits-per-byte"
CHANCE = "chance"
# What baselines are of: a multiple choice can be guessed, a free answer cannot.
_CHOICE_METRIC = re.compile(r"acc(_|$)")
_PART_METRIC = re.compile(r"acc_\d")


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric of one task. ``baselines`` are what rules without a model reach on the same items."""

    task: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int | None
    ties: int
    truncated: int
    baselines: dict[str, float]

    @property
    def family(self) -> str:
        """The task that this is a part of: "minimal-pairs" of "minimal-pairs/agreement"."""
        return self.task.partition("/")[0]

    @property
    def part(self) -> str:
        """What distinguishes this from its family's main score; empty for the main score."""
        by_metric = self.metric.removeprefix("acc_").replace("_", " ") if self.is_part_by_metric else ""
        return self.task.partition("/")[2] or by_metric

    @property
    def is_detail(self) -> bool:
        """Whether this is a score of some of a task's items: a phenomenon, a source, a number of operators."""
        return "/" in self.task or self.is_part_by_metric

    @property
    def is_part_by_metric(self) -> bool:
        """Whether the metric's name says which items: "acc_1_operator"."""
        return bool(_PART_METRIC.match(self.metric))

    @property
    def is_fraction(self) -> bool:
        return self.metric != "bits_per_byte" and 0 <= self.value <= 1 and "perplexity" not in self.metric

    @property
    def chance(self) -> float | None:
        return self.baselines.get(CHANCE)

    @property
    def is_above_chance(self) -> bool | None:
        """Whether the whole interval lies above chance; ``None`` where chance or the interval is unknown."""
        return None if self.chance is None or self.low is None else self.low > self.chance

    @property
    def is_below_chance(self) -> bool:
        return self.chance is not None and self.high is not None and self.high < self.chance

    @property
    def best_rule(self) -> tuple[str, float] | None:
        """The trivial rule that gets furthest, chance included."""
        return max(self.baselines.items(), key=lambda item: item[1]) if self.baselines else None


@dataclass(frozen=True, kw_only=True)
class ScoreFile:
    name: str
    model: str
    seconds: float | None
    items_per_second: float | None
    index: float | None
    scores: tuple[Score, ...]
    skipped: dict[str, str]

    @property
    def bits_per_byte(self) -> Score | None:
        """On all held-out text."""
        return next((score for score in self.scores if score.task == BITS_PER_BYTE), None)

    @property
    def bits_by_source(self) -> tuple[Score, ...]:
        return tuple(score for score in self.scores if score.task.startswith(f"{BITS_PER_BYTE}/"))

    @property
    def fractions(self) -> tuple[Score, ...]:
        return tuple(score for score in self.scores if score.is_fraction and score.family != BITS_PER_BYTE)


def read_score_files(folder: Path) -> tuple[ScoreFile, ...]:
    """The score files, that with most scores first: it speaks for the run. Among equals the last by name."""
    files = [_read(path) for path in sorted(folder.glob("*.json"), key=_natural_order, reverse=True)]
    return tuple(sorted(files, key=lambda file: -len(file.scores)))


def _natural_order(path: Path) -> list[Any]:
    """step-900 before step-1000."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.stem)]


def _read(path: Path) -> ScoreFile:
    with damage_named(path):
        stored = read_object(path) or {}
        baselines = {task: numbers(values) for task, values in mapping(stored.get("baselines") or {}).items()}
        return ScoreFile(
            name=text(path.stem),
            model=optional(text, stored.get("model"), ""),
            seconds=optional(number, stored.get("seconds")),
            items_per_second=optional(number, stored.get("items_per_second")),
            index=optional(number, stored.get("index")),
            scores=tuple(
                _score(task, metric, mapping(values), baselines)
                for task, metrics in mapping(stored["scores"]).items()
                for metric, values in mapping(metrics).items()
            ),
            skipped={task: text(reason) for task, reason in mapping(stored.get("skipped") or {}).items()},
        )


def _score(task: str, metric: str, values: dict[str, Any], baselines: dict[str, dict[str, float]]) -> Score:
    return Score(
        task=task,
        metric=metric,
        value=number(values["value"]),
        low=optional(number, values.get("low")),
        high=optional(number, values.get("high")),
        n=optional(whole, values.get("n")),
        ties=optional(whole, values.get("ties"), 0),
        truncated=optional(whole, values.get("truncated"), 0),
        baselines=_baselines_of(task, metric, baselines),
    )


def _baselines_of(task: str, metric: str, baselines: dict[str, dict[str, float]]) -> dict[str, float]:
    """The task's own baselines, for a part of a task the family's chance: that alone holds for every part."""
    if metric != "bits_per_byte" and not _CHOICE_METRIC.match(metric):
        return {}
    family = baselines.get(task.partition("/")[0], {})
    chance = {CHANCE: family[CHANCE]} if CHANCE in family else {}
    return chance if _PART_METRIC.match(metric) else baselines.get(task, chance)
