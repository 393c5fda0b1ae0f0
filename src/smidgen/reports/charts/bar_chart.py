"""Horizontal bars from zero, in groups: a source with the model, gzip and xz; a stage with its time."""

from dataclasses import dataclass, field

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.scale import Scale
from smidgen.reports.stored.manifest import StageCost
from smidgen.reports.stored.scores import Score

BITS_TITLE = "Bits per byte of the model, gzip and xz on the same held-out text; less is better"
STAGES_TITLE = "Time and peak memory of each stage"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """``words`` stand at the bar's end; ``series`` names its colour and, in the legend, what it is."""

    value: float
    words: str
    series: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class BarGroup:
    label: str
    bars: list[Bar] = field(default_factory=list)


def bits_groups(overall: Score | None, by_source: tuple[Score, ...]) -> list[BarGroup]:
    """All held-out text first, then each source."""
    named = [("all held-out text", overall)] if overall else []
    named += [(score.part, score) for score in by_source]
    return [BarGroup(label=name, bars=_bits_bars(score)) for name, score in named]


def stage_groups(stages: tuple[StageCost, ...]) -> list[BarGroup]:
    return [BarGroup(label=stage.name, bars=[Bar(value=stage.seconds, words=_cost(stage))]) for stage in stages]


def draw(title: str, groups: list[BarGroup], width: int) -> Markup:
    is_wide = width > 500
    series = list(dict.fromkeys(bar.series for group in groups for bar in group.bars if bar.series))
    left = 150 if is_wide else 0
    beyond = max(len(bar.words) for group in groups for bar in group.bars) * 6.8 + 10
    high = max((bar.high or bar.value for group in groups for bar in group.bars), default=0) or 1
    across = Scale(0, high, left, width - beyond)
    parts, top = _legend(series)
    for group in groups:
        drawn, top = _group(group, series, across, top, width, is_wide)
        parts.append(drawn)
    return svg.drawing(title, width, top, parts, "bar-chart")


def _bits_bars(score: Score) -> list[Bar]:
    model = Bar(value=score.value, words=words.bits(score.value), series="this model", low=score.low, high=score.high)
    others = [Bar(value=bits, words=words.bits(bits), series=name) for name, bits in score.baselines.items()]
    return [model, *others]


def _cost(stage: StageCost) -> str:
    time = words.duration(stage.seconds)
    return f"{time}, {words.size(stage.peak_memory_bytes)}" if stage.peak_memory_bytes else time


def colour(position: int) -> str:
    """The model's bars stand out; those it is compared with are quiet."""
    return ("own", "other", "third")[min(position, 2)]


def _group(
    group: BarGroup, series: list[str], across: Scale, top: float, width: int, is_wide: bool
) -> tuple[Markup, float]:
    thickness, gap = 13, 3
    first = top + (4 if is_wide else 20)
    height = first - top + len(group.bars) * (thickness + gap) + 10
    label_y = first + thickness - 2 if is_wide else top + 14
    parts = [
        svg.bar(0, top, width, height, "catch row"),
        svg.label(0, label_y, svg.shortened(group.label, 140 if is_wide else width), class_="label"),
    ]
    for number, bar in enumerate(group.bars):
        position = series.index(bar.series) if bar.series else 0
        parts += _bar(bar, colour(position), across, first + number * (thickness + gap), thickness)
    tip = "\n".join([group.label, *(f"{bar.series} {bar.words}".strip() for bar in group.bars)])
    return svg.group(parts, class_="mark", data_tip=tip), top + height


def _bar(bar: Bar, class_: str, across: Scale, y: float, thickness: float) -> list[Markup]:
    middle = y + thickness / 2
    end = across(max(bar.value, bar.high or 0))
    parts = [svg.bar(across.start, y, across(bar.value) - across.start, thickness, f"bar {class_}")]
    if bar.low is not None and bar.high is not None:
        parts += _error_bar(across(bar.low), across(bar.high), middle)
    return [*parts, svg.label(end + 6, middle + 4, bar.words, class_="value" if class_ == "own" else "quiet")]


def _error_bar(low: float, high: float, y: float) -> list[Markup]:
    ends = [svg.line(x, y - 3, x, y + 3, "error") for x in (low, high)]
    return [svg.line(low, y, high, y, "error"), *ends]


def _legend(series: list[str]) -> tuple[list[Markup], float]:
    parts: list[Markup] = []
    x = 0.0
    for position, name in enumerate(series):
        parts.append(svg.bar(x, 4, 12, 12, f"bar {colour(position)}"))
        parts.append(svg.label(x + 18, 14, svg.shortened(name, 80), class_="quiet"))
        x += 36 + 6.6 * min(len(name), 12)
    return parts, 26.0 if series else 0.0
