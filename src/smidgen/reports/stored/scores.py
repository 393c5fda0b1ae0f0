"""``scores/*.json``: what the model was scored on, with intervals and with what trivial rules reach."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, number, numbers, optional, sequence, text, whole

BITS_PER_BYTE = "bits-per-byte"
CHANCE = "chance"
# More parts than these are summed up by their outer groups: BLiMP by its 12 phenomena instead of 67 sets.
MOST_PARTS = 30
# Where the outer groups are told, which sum all parts up, they are enough from here on.
MOST_PARTS_IN_GROUPS = 12
# What baselines are of: a multiple choice can be guessed, a free answer cannot.
_WITH_BASELINES = re.compile(r"acc(_|$)|bits_per_byte$|real_words$")
_PART_METRIC = re.compile(r"acc_\d")


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric of one task. ``baselines`` are what rules without a model reach on the same items.

    ``is_quoted`` marks the metric that a task names first: the one that model cards quote.
    """

    task: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int | None
    ties: int
    truncated: int
    baselines: dict[str, float]
    is_quoted: bool = True

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
class Index:
    """A single number made of several scores, in percent."""

    name: str
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class ScoreFile:
    """``outer_groups`` are by task the parts that hold its other parts; ``limit`` is per task or part of a task.

    ``sources`` say by task where its items came from.
    """

    name: str
    model: str
    weights: str
    seconds: float | None
    items_per_second: float | None
    precision: str
    limit: int | None
    max_length: int | None
    indices: tuple[Index, ...]
    scores: tuple[Score, ...]
    outer_groups: dict[str, tuple[str, ...]]
    sources: dict[str, str]
    skipped: dict[str, str]
    warnings: tuple[str, ...]

    @property
    def bits_per_byte(self) -> Score | None:
        """On all held-out text."""
        return next((score for score in self.scores if score.task == BITS_PER_BYTE), None)

    @property
    def bits_by_source(self) -> tuple[Score, ...]:
        return tuple(score for score in self.scores if score.task.startswith(f"{BITS_PER_BYTE}/"))

    @property
    def quoted(self) -> tuple[Score, ...]:
        """Of each task and its parts the metric to quote; of more than ``MOST_PARTS`` parts the outer groups only."""
        quoted = [score for score in self.scores if score.is_quoted]
        parts = Counter(score.family for score in quoted if score.is_detail)
        return tuple(
            score
            for score in quoted
            if not score.is_detail
            or is_shown(score.part, parts[score.family], self.outer_groups.get(score.family, ()))
        )

    @property
    def fractions(self) -> tuple[Score, ...]:
        """What of the quoted scores is a share of items."""
        return tuple(score for score in self.quoted if score.is_fraction and score.family != BITS_PER_BYTE)

    @property
    def quantities(self) -> tuple[Score, ...]:
        """What of them is not, such as perplexities; bits per byte of held-out text stand apart."""
        return tuple(score for score in self.quoted if not score.is_fraction and score.family != BITS_PER_BYTE)

    @property
    def other_metrics(self) -> tuple[Score, ...]:
        """Of whole tasks."""
        return tuple(score for score in self.scores if not score.is_quoted and not score.is_detail)


def is_shown(part: str, parts: int, outer_groups: Collection[str]) -> bool:
    """Whether one of a task's ``parts`` parts is shown at once, or left to the outer groups and to details."""
    return parts <= (MOST_PARTS_IN_GROUPS if outer_groups else MOST_PARTS) or part in outer_groups


def joined(files: Sequence[ScoreFile]) -> ScoreFile:
    """One record of files on the same weights: each task as the file with most of its items has it."""
    tasks: dict[str, tuple[Score, ...]] = {}
    sources: dict[str, str] = {}
    for file in files:
        for family in dict.fromkeys(score.family for score in file.scores):
            found = tuple(score for score in file.scores if score.family == family)
            if family not in tasks or (found[0].n or 0) > (tasks[family][0].n or 0):
                tasks[family] = found
                sources[family] = file.sources.get(family, "")
    return replace(
        files[0],
        indices=next((file.indices for file in files if file.indices), ()),
        scores=tuple(score for found in tasks.values() for score in found),
        outer_groups={task: groups for file in files for task, groups in file.outer_groups.items()},
        sources=sources,
        skipped={task: why for file in files for task, why in file.skipped.items() if task not in tasks},
        warnings=tuple(dict.fromkeys(warning for file in files for warning in file.warnings)),
    )


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
        settings = mapping(stored.get("settings") or {})
        return ScoreFile(
            name=text(path.stem),
            model=optional(text, stored.get("model"), ""),
            weights=optional(text, stored.get("weights_sha256"), ""),
            seconds=optional(number, stored.get("seconds")),
            items_per_second=optional(number, stored.get("items_per_second")),
            precision=optional(text, settings.get("precision"), ""),
            limit=optional(whole, settings.get("limit")),
            max_length=optional(whole, settings.get("max_length")),
            indices=tuple(_index(name, mapping(index)) for name, index in _indices(stored).items()),
            scores=tuple(_scores(stored)),
            outer_groups={
                task: tuple(text(group) for group in sequence(groups))
                for task, groups in mapping(stored.get("outer_groups") or {}).items()
            },
            sources={
                task: text(mapping(facts).get("source", ""))
                for task, facts in mapping(stored.get("data") or {}).items()
            },
            skipped={task: text(reason) for task, reason in mapping(stored.get("skipped") or {}).items()},
            warnings=tuple(text(warning) for warning in sequence(stored.get("warnings") or [])),
        )


def _indices(stored: dict[str, Any]) -> dict[str, Any]:
    """A record without intervals of its indices has at most a bare number."""
    if stored.get("index") is not None and not stored.get("indices"):
        return {"intelligence_index": {"value": stored["index"]}}
    return mapping(stored.get("indices") or {})


def _index(name: str, values: dict[str, Any]) -> Index:
    return Index(
        name=name,
        value=number(values["value"]),
        low=optional(number, values.get("low")),
        high=optional(number, values.get("high")),
    )


def _scores(stored: dict[str, Any]) -> Iterator[Score]:
    baselines = {task: numbers(values) for task, values in mapping(stored.get("baselines") or {}).items()}
    for task, metrics in mapping(stored["scores"]).items():
        for place, (metric, values) in enumerate(mapping(metrics).items()):
            is_quoted = place == 0 or bool(_PART_METRIC.match(metric))
            yield _score(task, metric, mapping(values), baselines, is_quoted=is_quoted)


def _score(
    task: str, metric: str, values: dict[str, Any], baselines: dict[str, dict[str, float]], *, is_quoted: bool
) -> Score:
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
        is_quoted=is_quoted,
    )


def _baselines_of(task: str, metric: str, baselines: dict[str, dict[str, float]]) -> dict[str, float]:
    """The task's own baselines, for a part of a task the family's chance: that alone holds for every part."""
    if not _WITH_BASELINES.match(metric):
        return {}
    family = baselines.get(task.partition("/")[0], {})
    chance = {CHANCE: family[CHANCE]} if CHANCE in family else {}
    return chance if _PART_METRIC.match(metric) else baselines.get(task, chance)
