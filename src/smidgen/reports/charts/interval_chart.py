"""Scores as dots with 95% whiskers, beside what is reached without a model."""

import re
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale
from smidgen.reports.score_words import full_name, task_title, with_interval
from smidgen.reports.stored.scores import CHANCE, Score

TITLE = "Scores with 95% intervals beside what is reached without a model"
_INDENT = 12
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEGEND: tuple[tuple[Literal["filled", "hollow", "chance", "rule"], str], ...] = (
    ("filled", "score, 95% interval"),
    ("hollow", "not above chance"),
    ("chance", "chance"),
    ("rule", "without a model"),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the chart: a score, or with ``score`` absent the heading of parts without a whole."""

    label: str
    score: Score | None = None

    @property
    def is_part(self) -> bool:
        return self.score is not None and self.score.is_detail


def rows(scores: tuple[Score, ...]) -> list[Row]:
    """Task by task: its scores, then its parts."""
    listed: list[Row] = []
    for family in dict.fromkeys(score.family for score in scores):
        members = [score for score in scores if score.family == family]
        members.sort(key=lambda score: score.is_detail)
        if members[0].is_detail:
            listed.append(Row(label=task_title(family)))
        listed += [Row(label=_label(score), score=score) for score in members]
    return listed


def _label(score: Score) -> str:
    """Metrics by their short names: they stand beside a task's own."""
    if score.is_detail:
        # Not the sign of "with -".
        return re.sub(r"(?<=\w)[-_](?=\w)", " ", score.part)
    return task_title(score.task) + ("" if score.metric == "acc" else f", {score.metric}")


def draw(scores: tuple[Score, ...], width: int) -> Markup:
    is_wide = width > 500
    left, right = (205, width - 165) if is_wide else (4, width - 8)
    across = Scale(0, 1, left, right)
    parts, top = _legend(width)
    start = top
    height = 24 if is_wide else 40
    for row in rows(scores):
        if not row.is_part:
            top += 6
        if row.score is None:
            parts.append(svg.label(0, top + 16, svg.shortened(row.label, width - 10), class_="heading"))
        else:
            parts.append(_row(row, row.score, across, top, width, is_wide))
        top += 24 if row.score is None else height
    grid = [svg.line(across(tick), start + 4, across(tick), top + 4, "grid") for tick in _TICKS]
    return svg.drawing(TITLE, width, top + 24, [*grid, *parts, *_axis(across, top + 4)], "interval-chart")


def _row(row: Row, score: Score, across: Scale, top: float, width: int, is_wide: bool) -> Markup:
    middle = top + (12 if is_wide else 28)
    text_y = middle + 4 if is_wide else top + 14
    left, class_ = (_INDENT, "label") if row.is_part else (0, "heading")
    name = svg.shortened(row.label, (195 if is_wide else width - 130) - left)
    return svg.group(
        [
            svg.bar(0, top, width, 24 if is_wide else 40, "catch row"),
            svg.label(left, text_y, name, class_=class_),
            *_marks(score, across, middle),
            svg.label(width, text_y, with_interval(score), anchor="end", class_="value"),
        ],
        class_="mark",
        data_tip=_tip(row, score),
    )


def _marks(score: Score, across: Scale, y: float) -> list[Markup]:
    rules = [value for name, value in score.baselines.items() if name != CHANCE]
    marks = [svg.line(across(value), y - 5, across(value), y + 5, "rule") for value in rules]
    if score.chance is not None:
        marks.append(svg.line(across(score.chance), y - 7, across(score.chance), y + 7, "chance"))
    if score.low is not None and score.high is not None:
        marks.append(svg.line(across(score.low), y, across(score.high), y, "whisker"))
    kind = "hollow" if score.is_above_chance is False else "filled"
    return [*marks, svg.element("circle", cx=across(score.value), cy=y, r=4.5, class_=f"dot {kind}")]


def _tip(row: Row, score: Score) -> str:
    lines = [full_name(score), with_interval(score)]
    lines += [f"{name} {words.percent(value)}" for name, value in score.baselines.items()]
    return "\n".join([*lines, *([f"{score.n:,} items"] if score.n else [])])


def _axis(across: Scale, y: float) -> list[Markup]:
    anchors = {_TICKS[0]: "start", _TICKS[-1]: "end"} if across.start < 20 else {}
    return [
        svg.label(across(tick), y + 16, words.percent(tick, 0), anchor=anchors.get(tick, "middle"), class_="quiet")
        for tick in _TICKS
    ]


def _legend(width: int) -> tuple[list[Markup], float]:
    """The marks with their meaning, in as many lines as needed, and where they end."""
    parts: list[Markup] = []
    x, y = 0.0, 12.0
    for kind, meaning in _LEGEND:
        needed = 30 + 6.6 * len(meaning)
        if x and x + needed > width:
            x, y = 0.0, y + 20
        parts += [_legend_mark(kind, x, y), svg.label(x + 26, y + 4, meaning, class_="quiet")]
        x += needed + 10
    return parts, y + 4


def _legend_mark(kind: str, x: float, y: float) -> Markup:
    if kind == "chance":
        return svg.line(x + 10, y - 7, x + 10, y + 7, "chance")
    if kind == "rule":
        return svg.line(x + 10, y - 5, x + 10, y + 5, "rule")
    dot = svg.element("circle", cx=x + 10, cy=y, r=4.5, class_=f"dot {kind}")
    return svg.group([svg.line(x, y, x + 20, y, "whisker"), dot])
