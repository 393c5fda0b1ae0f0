"""The charts of the page once more as PNG pictures, for model cards and slides.

Matplotlib is imported inside functions: a command that only plans must not wait for it. Its object interface
keeps no state between figures, unlike pyplot.
"""

import io
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from smidgen.reports import words
from smidgen.reports.charts import bar_chart, budget_bar, interval_chart, length_chart, loss_curve, mixture_chart
from smidgen.reports.run_records import RunRecords
from smidgen.reports.score_words import with_interval
from smidgen.reports.stored.data import MixturePoint
from smidgen.reports.stored.design import StoredDesign
from smidgen.reports.stored.scores import CHANCE, Score
from smidgen.reports.stored.training import TrainingRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches at 100 dots an inch are the page's pixels; 200 is twice its resolution.
WIDTH_INCHES = 7.2
DOTS_PER_INCH = 200
MOST_LETTERS = 34
INK, QUIET, GRID = "#1a1d21", "#5b636c", "#e2e5e9"
# The page's colours in its light scheme.
SERIES = ("#2f6db0", "#cf7331", "#2c8c80", "#9c5a8e", "#a98d22", "#75808b", "#ad483f", "#57509b")
OWN, OTHER, THIRD = "#2f6db0", "#8d97a1", "#bcc3ca"

_STYLE: Any = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": GRID,
    "legend.frameon": False,
    # Names are data: a dollar sign in one must not begin a formula.
    "text.parse_math": False,
}


def pictures(records: RunRecords) -> dict[str, bytes]:
    """PNG files by name: those for which the run has the numbers."""
    scores = records.scores
    bits = bar_chart.bits_groups(scores.bits_per_byte, scores.bits_by_source) if scores else []
    stages = bar_chart.stage_groups(records.manifest.stages) if records.manifest else []
    chosen: list[tuple[str, Callable[[Any], Figure], Any]] = [
        ("parameters.png", _parameters, records.design),
        ("loss_curve.png", _loss_curve, records.training),
        ("mixture.png", _mixture, records.mixture),
        ("scores.png", _scores, scores.fractions if scores else ()),
        ("lengths.png", _lengths, length_chart.panels(scores.scores) if scores else []),
        ("bits_per_byte.png", partial(_bars, bar_chart.BITS_TITLE), bits),
        ("stages.png", partial(_bars, bar_chart.STAGES_TITLE), stages),
    ]
    return {name: _png(draw, content) for name, draw, content in chosen if content}


def _png(draw: Callable[[Any], "Figure"], content: Any) -> bytes:
    import matplotlib

    file = io.BytesIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # A name may hold characters that the font lacks; it shows them as boxes.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        draw(content).savefig(file, format="png", dpi=DOTS_PER_INCH, facecolor="white")
    return file.getvalue()


def _figure(height_inches: float, rows: list[float] | None = None) -> tuple["Figure", list["Axes"]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    ratios = rows or [1.0]
    axes = figure.subplots(len(ratios), 1, squeeze=False, sharex=True, height_ratios=ratios)
    return figure, [axis for (axis,) in axes]


def _headline(figure: "Figure", title: str) -> None:
    """Flush with the left edge, where the labels of an axis begin."""
    figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=9)


def _loss_curve(training: TrainingRecord) -> "Figure":
    panels = loss_curve.panels(training)
    figure, axes = _figure(0.6 + sum(panel.height for panel in panels) / 75, [panel.height for panel in panels])
    for panel, axis in zip(panels, axes, strict=True):
        tokens, values = zip(*panel.points, strict=True)
        colour = SERIES[int(panel.colour[1:]) - 1]
        axis.plot(tokens, values, color=colour, linewidth=1.5, marker="o" if panel.has_dots else "", markersize=3)
        axis.set_title(f"{panel.name}, {panel.unit}" if panel.unit else panel.name)
        axis.set_ylim(*panel.limits)
        axis.grid(axis="y")
    axes[-1].set_xlim(0, max(1, training.tokens) * 1.01)
    _count_tokens(axes[-1])
    return figure


def _lengths(panels: list[length_chart.Panel]) -> "Figure":
    figure, axes = _figure(0.7 + sum(panel.height for panel in panels) / 75, [panel.height for panel in panels])
    for panel, axis in zip(panels, axes, strict=True):
        for line in panel.lines:
            colour = SERIES[int(line.colour[1:]) - 1]
            digits = [point.at for point in line.points]
            values = [point.value for point in line.points]
            axis.plot(digits, values, color=colour, marker="o", markersize=3, label=line.name)
            axis.fill_between(
                digits,
                [point.value if point.low is None else point.low for point in line.points],
                [point.value if point.high is None else point.high for point in line.points],
                color=colour,
                alpha=0.15,
                linewidth=0,
            )
        axis.set_title(panel.name)
        axis.set_ylim(*length_chart.BOUNDS)
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axis.grid(axis="y")
        if len(panel.lines) > 1:
            axis.legend(loc="lower left")
    axes[-1].locator_params(axis="x", integer=True)
    axes[-1].set_xlabel("digits", loc="right")
    return figure


def _count_tokens(axis: "Axes") -> None:
    axis.xaxis.set_major_formatter(lambda tokens, _: words.count(tokens))
    axis.set_xlabel("trained tokens", loc="right")


def _mixture(mixture: tuple[MixturePoint, ...]) -> "Figure":
    names = mixture_chart.sources(mixture)
    figure, (axis,) = _figure(3.2)
    realised, planned = mixture_chart.heaps(mixture, "realised"), mixture_chart.heaps(mixture, "planned")
    for number, name in enumerate(names):
        tokens = [tokens for tokens, _ in realised]
        lower = [heap[number] for _, heap in realised]
        upper = [heap[number + 1] for _, heap in realised]
        # A label that begins with an underscore would be left out of the legend.
        shown = f"\u200a{_short(name)}" if name.startswith("_") else _short(name)
        axis.fill_between(tokens, lower, upper, color=SERIES[number % len(SERIES)], alpha=0.75, lw=0, label=shown)
    for number in range(1, len(names)):
        axis.plot([at for at, _ in planned], [heap[number] for _, heap in planned], color=INK, lw=1.2)
    axis.set_ylim(0, 1)
    axis.margins(x=0)
    _headline(figure, "Share of each source: areas as realised, lines as planned")
    axis.yaxis.set_major_formatter(lambda share, _: words.percent(share, 0))
    _count_tokens(axis)
    figure.legend(loc="outside right center", reverse=True)
    return figure


def _scores(scores: tuple[Score, ...]) -> "Figure":
    rows = interval_chart.rows(scores)
    figure, (axis,) = _figure(0.9 + 0.24 * len(rows))
    for place, row in enumerate(rows):
        if row.score is not None:
            _interval(axis, place, row.score)
    axis.set_yticks(range(len(rows)), [_short(row.label) for row in rows])
    for row, tick in zip(rows, axis.get_yticklabels(), strict=True):
        tick.set(color=INK, fontweight="normal" if row.is_part else "bold")
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlim(0, 1)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1])
    _headline(figure, "Scores, 95% intervals. Long tick: chance; short: without a model; hollow: not above chance")
    axis.xaxis.set_major_formatter(lambda share, _: words.percent(share, 0))
    axis.grid(axis="x")
    axis.set_axisbelow(True)
    return figure


def _short(name: str) -> str:
    """In one line, and no longer than what leaves room for the chart."""
    in_line = " ".join(name.split())
    return in_line if len(in_line) <= MOST_LETTERS else in_line[: MOST_LETTERS - 1] + "…"


def _interval(axis: "Axes", place: int, score: Score) -> None:
    for name, value in score.baselines.items():
        half = 0.38 if name == CHANCE else 0.18
        axis.plot([value, value], [place - half, place + half], color=QUIET, lw=1.2)
    if score.low is not None and score.high is not None:
        axis.plot([score.low, score.high], [place, place], color=OWN, lw=1.5)
    inside = "white" if score.is_above_chance is False else OWN
    axis.plot([score.value], [place], "o", color=OWN, markerfacecolor=inside, markersize=5, clip_on=False)
    axis.text(1.02, place, with_interval(score), va="center", fontsize=8, clip_on=False)


def _bars(title: str, groups: list[bar_chart.BarGroup]) -> "Figure":
    figure, (axis,) = _figure(0.6 + 0.2 * sum(len(group.bars) + 0.6 for group in groups))
    series = list(dict.fromkeys(bar.series for group in groups for bar in group.bars))
    place, middles = 0.0, []
    for group in groups:
        middles.append(place + (len(group.bars) - 1) / 2)
        for bar in group.bars:
            colour = (OWN, OTHER, THIRD)[min(series.index(bar.series), 2)]
            named = f"{bar.words} {bar.series}".strip()
            axis.barh(place, bar.value, height=0.82, color=colour)
            axis.annotate(named, (bar.value, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
            place += 1
        place += 0.6
    axis.set_yticks(middles, [_short(group.label) for group in groups])
    axis.tick_params(axis="y", labelcolor=INK)
    axis.set_ylim(place - 0.8, -0.8)
    axis.xaxis.set_visible(False)
    axis.spines["bottom"].set_visible(False)
    axis.margins(x=0.22)
    _headline(figure, title)
    return figure


def _parameters(design: StoredDesign) -> "Figure":
    figure, (axis,) = _figure(1.3)
    start = 0
    for number, (part, parameters) in enumerate(design.parts.items()):
        label = f"{_short(part.replace('_', ' '))} {words.percent(parameters / design.total)}"
        axis.barh(0, parameters, left=start, color=SERIES[number % len(SERIES)], edgecolor="white", label=label)
        start += parameters
    axis.set_axis_off()
    axis.set_xlim(0, design.total)
    _headline(figure, f"{budget_bar.TITLE}: {words.exact(design.total)} in all")
    figure.legend(loc="outside lower left", ncols=4, fontsize=8)
    return figure
