"""How the trials went: each seed's curves, their means, and the differences to the base seed by seed.

Places are shares of the planned run, so that runs of equal cost and different length end together.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np

from smidgen.records.run_folder import RunFolder
from smidgen.reports.ablation.result import BASE, FINISHED, HALVED, Result, Trial, Variant
from smidgen.reports.charts.line_panels import Point
from smidgen.reports.stored.recipe import read_recipe
from smidgen.reports.stored.training import TrainingRecord, read_training

Curve = tuple[tuple[float, float], ...]

RUNNING = "running"
# Training loss is measured batch by batch: within one of so many parts of the run it is averaged.
MOST_PARTS = 100
# Runs of the same cost differ by less than a step; up to this share a curve is held to reach as far as another.
SLACK = 0.02
_TRIAL_FOLDER = re.compile(r"(?:x(?P<scale>[\d.]+)-)?seed-(?P<seed>\d+)")


@dataclass(frozen=True, kw_only=True)
class SeedCourse:
    """One trial: ``loss`` in nats per token, ``held_out`` in bits per byte, both over shares of the planned run."""

    variant: str
    seed: int
    state: str
    loss: Curve
    held_out: Curve

    @property
    def is_whole(self) -> bool:
        """Whether it went as far as its variant was to go."""
        return self.state in (FINISHED, HALVED)


@dataclass(frozen=True, kw_only=True)
class Courses:
    """All trials at the main scale that have measured something."""

    trials: tuple[SeedCourse, ...]

    def of(self, variant: str) -> list[SeedCourse]:
        return [one for one in self.trials if one.variant == variant]

    def whole(self, variant: str) -> list[SeedCourse]:
        return [one for one in self.of(variant) if one.is_whole]

    def broken(self, variant: str) -> list[SeedCourse]:
        """Those that diverged, failed or are still running: each is told by itself."""
        return [one for one in self.of(variant) if not one.is_whole]

    def pairs(self, variant: str) -> list[tuple[SeedCourse, SeedCourse]]:
        """The variant's and the base's trial of each seed, both whole."""
        base = {one.seed: one for one in self.whole(BASE)}
        return [(one, base[one.seed]) for one in self.whole(variant) if one.seed in base]


def read_courses(result: Result, folder: Path) -> Courses:
    """From ``trials/VARIANT/*/measurements.jsonl``. Raises ``BadInput`` for a damaged file."""
    return Courses(trials=tuple(one for variant in result.everyone for one in _read_variant(result, variant, folder)))


def mean(curves: Sequence[Curve]) -> tuple[Point, ...]:
    """The mean over seeds with their range, at the places of the first that all reach."""
    places = [at for at, _ in curves[0]] if curves else []
    return _points(places, [_values(curve, places) for curve in curves])


def difference(pairs: Sequence[tuple[Curve, Curve]]) -> tuple[Point, ...]:
    """The mean over seeds of own less base, with its range."""
    places = [at for at, _ in pairs[0][0]] if pairs else []
    return _points(places, [_values(own, places) - _values(base, places) for own, base in pairs])


def without_range(points: tuple[Point, ...]) -> tuple[Point, ...]:
    return tuple(replace(point, low=None, high=None) for point in points)


def alone(curve: Curve) -> tuple[Point, ...]:
    return tuple(Point(at=at, value=value) for at, value in curve)


def _points(places: Sequence[float], by_seed: Sequence[np.ndarray]) -> tuple[Point, ...]:
    """Where every seed has a value."""
    columns = np.array(by_seed).T.tolist()
    found = [(at, values) for at, values in zip(places, columns, strict=True) if not any(map(math.isnan, values))]
    if len(by_seed) == 1:
        return tuple(Point(at=at, value=values[0]) for at, values in found)
    return tuple(Point(at=at, value=fmean(values), low=min(values), high=max(values)) for at, values in found)


def _values(curve: Curve, places: Sequence[float]) -> np.ndarray:
    """Between two measurements on the straight line through them; NaN where the curve does not reach."""
    if not curve:
        return np.full(len(places), math.nan)
    own_places, values = zip(*curve, strict=True)
    reached = [own_places[0] - SLACK <= at <= own_places[-1] + SLACK for at in places]
    return np.where(reached, np.interp(places, own_places, values), math.nan)


def _read_variant(result: Result, variant: Variant, folder: Path) -> list[SeedCourse]:
    at_main = [trial for trial in variant.trials if trial.scale == result.main_scale]
    ended = {trial.seed: trial for trial in at_main if trial.has_ended}
    found = []
    for path in sorted((folder / "trials" / variant.name).glob("*/measurements.jsonl")):
        name = _TRIAL_FOLDER.fullmatch(path.parent.name)
        if not name or float(name["scale"] or result.main_scale) != result.main_scale:
            continue
        if record := read_training(path):
            seed = int(name["seed"])
            planned = _planned_tokens(result, list(ended.values()), RunFolder(path.parent), record)
            state = ended[seed].state if seed in ended else RUNNING
            found.append(_course(variant.name, seed, state, record, planned))
    return sorted(found, key=lambda one: one.seed)


def _course(variant: str, seed: int, state: str, record: TrainingRecord, planned: float) -> SeedCourse:
    held_out = tuple((point.tokens / planned, point.bits_per_byte) for point in record.held_out)
    loss = tuple((point.tokens / planned, point.loss) for point in record.points)
    return SeedCourse(variant=variant, seed=seed, state=state, loss=_smoothed(loss), held_out=held_out)


def _planned_tokens(result: Result, ended: list[Trial], run: RunFolder, record: TrainingRecord) -> float:
    """Those of the budget, else what the variant's finished seeds were trained on, else what its recipe plans."""
    if result.held_tokens:
        return result.held_tokens
    finished = next((trial.tokens for trial in ended if trial.state == FINISHED and trial.tokens), None)
    if finished:
        return finished
    recipe = read_recipe(run)
    return max(1, recipe.planned_tokens if recipe and recipe.planned_tokens else record.tokens)


def _smoothed(curve: Curve) -> Curve:
    """The means within equal parts of the run, each at the end of its part."""
    parts: dict[int, list[float]] = {}
    for at, value in curve:
        parts.setdefault(math.ceil(at * MOST_PARTS - 1e-6), []).append(value)
    return tuple((part / MOST_PARTS, fmean(values)) for part, values in parts.items())
