"""The outcome of comparing two models on one task, in words and as a row of a chart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from smidgen.reports import words
from smidgen.reports.charts import forest_plot
from smidgen.reports.comparison.metrics import (
    difference_words,
    is_less_better,
    is_share,
    tick_words,
    value_words,
)

MOST_NAMED = 6


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Model b minus model a. ``verdict`` begins with "better" or "worse" (b than a), or says why neither."""

    task: str
    metric: str
    a: str
    b: str
    value_a: float
    value_b: float
    difference: float
    verdict: str
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    n: int | None = None
    discordant: int | None = None

    @property
    def kind(self) -> str:
        """ "better", "worse" or "unsure"."""
        return next((kind for kind in ("better", "worse") if self.verdict.startswith(kind)), "unsure")

    @property
    def label(self) -> str:
        """The task, with the metric unless that is the plain accuracy."""
        return self.task if self.metric == "acc" else f"{self.task}, {self.metric}"

    @property
    def values(self) -> tuple[str, str]:
        return value_words(self.metric, self.value_a), value_words(self.metric, self.value_b)

    @property
    def difference_words(self) -> str:
        return difference_words(self.metric, self.difference, self.low, self.high)

    def row(self) -> forest_plot.Row:
        mark = forest_plot.Estimate(
            value=self.difference, low=self.low, high=self.high, colour=self.kind, is_hollow=self.kind == "unsure"
        )
        return forest_plot.Row(label=self.task, estimates=(mark,), words=self.difference_words, tip=self._tip())

    def _tip(self) -> str:
        values = [f"{self.a} {self.values[0]}", f"{self.b} {self.values[1]}"]
        tested = [f"p = {self.p:.2g}"] if self.p is not None else []
        tested += [f"{self.p_adjusted:.2g} adjusted"] if self.p_adjusted is not None else []
        return "\n".join([self.label, *values, self.verdict, *([", ".join(tested)] if tested else [])])


@dataclass(frozen=True, kw_only=True)
class Duel:
    """All verdicts on one pair of models."""

    a: str
    b: str
    verdicts: tuple[Verdict, ...]

    def sentence(self) -> str:
        """ "B is better than A on 2 of 5 tasks (x and y) and worse on 1 (z); on 2 they cannot be told apart." """
        better, worse = self._tasks("better"), self._tasks("worse")
        total = words.plural(len(self.verdicts), "task")
        found = [(kind, tasks) for kind, tasks in (("better", better), ("worse", worse)) if tasks]
        if not found:
            return f"{self.b} and {self.a} cannot be told apart on any of {total}."
        (kind, tasks), *others = found
        claims = [f"{kind} than {self.a} on {len(tasks)} of {total} ({_named(tasks)})"]
        claims += [f"{kind} on {len(tasks)} ({_named(tasks)})" for kind, tasks in others]
        unsure = len(self.verdicts) - len(better) - len(worse)
        rest = f"; on {unsure} they cannot be told apart" if unsure else ""
        return f"{self.b} is {' and '.join(claims)}{rest}."

    def plots(self, width: int) -> dict[str, Any]:
        """A forest plot of the differences for each unit, by the words above it."""
        units: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            units.setdefault(_unit(verdict.metric), []).append(verdict)
        return {unit: self._plot(unit, verdicts, width) for unit, verdicts in units.items()}

    def _plot(self, unit: str, verdicts: Sequence[Verdict], width: int) -> Any:
        rows = [verdict.row() for verdict in verdicts]
        metric = verdicts[0].metric
        sides = (f"{self.a} better", f"{self.b} better")
        left, right = reversed(sides) if is_less_better(metric) else sides
        low, high = forest_plot.limits(rows, 0.0)
        axis = forest_plot.Axis(
            low=low,
            high=high,
            tick_words=lambda tick: tick_words(metric, tick),
            zero=0.0,
            left_words=f"\u2190 {left}",
            right_words=f"{right} \u2192",
        )
        title = f"{self.b} minus {self.a}, {unit}, with 95% intervals"
        return forest_plot.draw(title, rows, axis, width)

    def _tasks(self, kind: str) -> list[str]:
        return [verdict.task for verdict in self.verdicts if verdict.kind == kind]


def duels(comparisons: Sequence[Mapping[str, Any]]) -> list[Duel]:
    """Verdicts by pair of models, in the order of first mention."""
    known = [field.name for field in fields(Verdict)]
    pairs: dict[tuple[str, str], list[Verdict]] = {}
    for comparison in comparisons:
        verdict = Verdict(**{name: comparison[name] for name in known if name in comparison})
        pairs.setdefault((verdict.a, verdict.b), []).append(verdict)
    return [Duel(a=a, b=b, verdicts=tuple(verdicts)) for (a, b), verdicts in pairs.items()]


def _unit(metric: str) -> str:
    return "percentage points" if is_share(metric) else metric.replace("_", " ")


def _named(tasks: list[str]) -> str:
    return words.listing(tasks, MOST_NAMED)
