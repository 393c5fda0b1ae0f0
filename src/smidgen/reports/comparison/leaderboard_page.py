"""Models in a table with their intervals: those measured here, and apart from them what others report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput
from smidgen.records import atomic
from smidgen.reports import words
from smidgen.reports.charts import forest_plot
from smidgen.reports.comparison.metrics import is_less_better, is_share, value_words
from smidgen.reports.comparison.panel import WIDTH
from smidgen.reports.comparison.score_grid import Cell, cell
from smidgen.reports.page import asset, content_policy, environment
from smidgen.reports.stored.values import text

MEASURED = "measured"
MOST_CHARTED = 30


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row of the table. ``sortable`` are the plain numbers behind the cells, index and parameters first."""

    name: str
    notes: str
    parameters: str
    index: str
    rank: str
    cells: tuple[Cell | None, ...]
    sortable: tuple[float | None, ...]


def write_leaderboard_page(rows: Sequence[Mapping[str, Any]], out: Path) -> Path:
    """Write one self-contained page and return its path.

    A row has "name", "parameters", "source" ("measured" or "self-reported"), "scores" {task: {metric: {"value",
    "low", "high", "n"}}}, "index", "rank" [low, high], "precision", "weights_sha256" and "when"; all but the first
    four may be null. Rows that were not measured stand in a table part of their own and are never ranked among
    the others. Raises ``BadInput`` without rows.
    """
    if not rows:
        raise BadInput("a leaderboard needs at least one model; evaluate one, or import reported scores")
    atomic.write_text(out, text(render(rows)))
    return out


def rows_of(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of ``lab.leaderboard``'s table: what was measured, and what others report."""
    measured = [
        {
            **{key: row.get(key) for key in ("parameters", "index", "rank", "precision", "weights_sha256")},
            "name": row["model"],
            "source": MEASURED,
            "scores": {task: {score["metric"]: score} for task, score in row["scores"].items()},
        }
        for row in board["models"]
    ]
    reported = [
        {
            "name": row["model"],
            "source": "self-reported",
            "parameters": row["parameters"],
            "scores": {
                task: {metric: {"value": value} for metric, value in metrics.items()}
                for task, metrics in row["scores"].items()
            },
        }
        for row in board["references"]
    ]
    return [*measured, *reported]


def render(rows: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(rows, key=_order)
    columns = _columns(ordered)
    style = asset("page.css") + asset("comparison.css")
    script = asset("page.js") + asset("comparison.js")
    measured = [row for row in ordered if is_measured(row)]
    reported = [row for row in ordered if not is_measured(row)]
    return (
        environment()
        .get_template("comparison.leaderboard.html.jinja")
        .render(
            columns=columns,
            measured=[_entry(row, columns) for row in measured],
            reported=[_entry(row, columns) for row in reported],
            charts=[(task, metric, _chart(ordered, task, metric)) for task, metric in columns],
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def is_measured(row: Mapping[str, Any]) -> bool:
    return row["source"] == MEASURED


def _order(row: Mapping[str, Any]) -> tuple[float, float, str]:
    """The best possible rank, then the index."""
    rank, index = row.get("rank"), row.get("index")
    best = sum(rank) / 2 if rank else float("inf")
    return best, float("inf") if index is None else -index, row["name"]


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return list(
        dict.fromkeys((task, metric) for row in rows for task, found in row["scores"].items() for metric in found)
    )


def _entry(row: Mapping[str, Any], columns: Sequence[tuple[str, str]]) -> Entry:
    scores = [row["scores"].get(task, {}).get(metric) for task, metric in columns]
    index, parameters = row.get("index"), row.get("parameters")
    return Entry(
        name=row["name"],
        notes=_notes(row),
        parameters="–" if parameters is None else words.count(parameters),
        index="–" if index is None else f"{index:.2f}",
        rank=_rank(row.get("rank")),
        cells=tuple(cell(metric, score, None) for (_, metric), score in zip(columns, scores, strict=True)),
        sortable=(index, parameters, *(score["value"] if score else None for score in scores)),
    )


def _notes(row: Mapping[str, Any]) -> str:
    """ "exact, 2026-11-20, 3fa94c01" """
    digest, when = row.get("weights_sha256"), row.get("when")
    known = [row.get("precision"), when[:10] if when else None, digest[:8] if digest else None]
    return ", ".join(part for part in known if part)


def _rank(rank: Sequence[int] | None) -> str:
    if not rank:
        return "–"
    low, high = rank
    return str(low) if low == high else f"{low}–{high}"


def _chart(rows: Sequence[Mapping[str, Any]], task: str, metric: str) -> Any:
    """Measured models from best to worst, then the reported ones under a heading of their own."""
    scored = [(row, row["scores"][task][metric]) for row in rows if metric in row["scores"].get(task, {})]
    scored.sort(key=lambda one: one[1]["value"], reverse=not is_less_better(metric))
    measured = [_bar(row, score, metric) for row, score in scored if is_measured(row)][:MOST_CHARTED]
    reported = [_bar(row, score, metric) for row, score in scored if not is_measured(row)][:MOST_CHARTED]
    heading = [forest_plot.Row(label="Self-reported")] if reported else []
    low, high = forest_plot.limits([*measured, *reported])
    axis = forest_plot.Axis(low=low, high=high, tick_words=lambda tick: _tick(metric, tick))
    title = f"{task}, {metric}, with 95% intervals"
    return forest_plot.draw(title, [*measured, *heading, *reported], axis, WIDTH)


def _bar(row: Mapping[str, Any], score: Mapping[str, Any], metric: str) -> forest_plot.Row:
    is_own = is_measured(row)
    mark = forest_plot.Estimate(
        value=score["value"],
        low=score.get("low"),
        high=score.get("high"),
        colour="own" if is_own else "other",
        is_hollow=not is_own,
    )
    return forest_plot.Row(label=row["name"], estimates=(mark,), words=value_words(metric, score["value"]))


def _tick(metric: str, tick: float) -> str:
    return words.percent(tick, 0) if is_share(metric) else f"{tick:.3g}"
