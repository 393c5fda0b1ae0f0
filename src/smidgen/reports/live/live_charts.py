"""The charts of a live page."""

from collections.abc import Callable

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import line_panels, svg
from smidgen.reports.charts.line_panels import Line, Panel, Point, points
from smidgen.reports.live.live_records import LiveRecords, TrialScore
from smidgen.reports.page import NARROW, WIDE, Chart
from smidgen.reports.stored.training import HeldOutPoint, TrainingPoint

# What is said of layers, in the order shown: key, title, and how its values are written.
STATISTICS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("gradient_norm", "Gradient norm", words.rate),
    ("update_ratio", "Update as a share of weights", words.rate),
    ("weight_norm", "Weight norm", words.rate),
    ("activation_rms", "Activation, root mean square", words.rate),
    ("activation_max", "Activation, largest", words.rate),
    ("attention_logit_max", "Attention logit, largest", words.rate),
    ("dead_units", "Dead feed-forward units", words.percent),
)
LAYER = "layers."


def charts(records: LiveRecords) -> dict[str, Chart]:
    """Those for which something was measured, by name."""
    drawn: dict[str, Chart] = {}
    if panels := _training(records):
        drawn["training"] = _both("Loss, gradient norm, learning rate and speed over trained tokens", panels)
    if records.training and records.training.held_out:
        panel = _held_out(records.training.held_out)
        drawn["held_out"] = _both("Held-out bits per byte over trained tokens", [panel])
    return drawn


def sources(records: LiveRecords) -> list[str]:
    """The sources of held-out text where there are several, in the order of their colours."""
    held_out = records.training.held_out if records.training else ()
    names = list(held_out[-1].by_source) if held_out else []
    return names if len(names) > 1 else []


def trial_charts(records: LiveRecords) -> list[Markup]:
    """One small chart for each score of the newest quick evaluation, with its interval and chance."""
    newest = records.trials[-1].scores if records.trials else ()
    return [_trial(records, score) for score in newest]


def layer_charts(records: LiveRecords) -> list[Markup]:
    """One small chart for each statistic, a line for each layer: the deeper, the stronger."""
    drawn = []
    for key, title, number in STATISTICS:
        lines = _layers(records, key)
        if lines:
            panel = Panel(name=title, lines=lines, number=number, is_from_zero=key == "dead_units")
            drawn.append(line_panels.draw(f"{title} of each layer over trained tokens", [panel], NARROW))
    return drawn


def _training(records: LiveRecords) -> list[Panel]:
    measured: tuple[TrainingPoint, ...] = records.training.points if records.training else ()

    def lines(key: str, colour: str) -> tuple[Line, ...]:
        found = points([(point.tokens, getattr(point, key)) for point in measured])
        return (Line(name=key, points=found, colour=colour),)

    panels = [
        Panel(name="Training loss, nats per token", lines=lines("loss", "s1"), number="{:.3f}".format, height=170),
        Panel(
            name="Gradient norm before clipping",
            lines=lines("gradient_norm", "s3"),
            number="{:.2f}".format,
            height=80,
            is_from_zero=True,
        ),
        Panel(
            name="Learning rate",
            lines=lines("learning_rate", "s6"),
            number=words.rate,
            height=52,
            is_from_zero=True,
        ),
        Panel(
            name="Tokens per second",
            lines=lines("tokens_per_second", "s4"),
            number=words.count,
            height=64,
            is_from_zero=True,
        ),
    ]
    return [panel for panel in panels if panel.lines[0].points]


def _held_out(measured: tuple[HeldOutPoint, ...]) -> Panel:
    names = list(measured[-1].by_source)
    lines = [
        Line(
            name=name,
            points=points([(point.tokens, point.by_source.get(name)) for point in measured]),
            # The first colour is that of the whole.
            colour=svg.series(number + 1),
        )
        for number, name in enumerate(names)
        if len(names) > 1
    ]
    # Last, so that it lies above the others.
    whole = Line(name="all", points=points([(point.tokens, point.bits_per_byte) for point in measured]), colour="own")
    return Panel(name="Held-out text, bits per byte", lines=(*lines, whole), number="{:.3f}".format, height=190)


def _trial(records: LiveRecords, newest: TrialScore) -> Markup:
    def own(score: TrialScore) -> bool:
        return (score.task, score.metric) == (newest.task, newest.metric)

    measured = tuple(
        Point(at=trial.tokens, value=score.value, low=score.low, high=score.high)
        for trial in records.trials
        for score in filter(own, trial.scores)
    )
    name = f"{newest.task}, {newest.metric}"
    line = Line(name=name, points=measured, colour="own")
    panel = Panel(name=svg.shortened(name, NARROW), lines=(line,), number="{:.3f}".format, rule=newest.chance)
    return line_panels.draw(f"{name} over trained tokens with 95% intervals", [panel], NARROW)


def _layers(records: LiveRecords, key: str) -> tuple[Line, ...]:
    names = [name for name in records.statistics[-1].parts if name.startswith(LAYER)] if records.statistics else []
    lines = []
    for number, name in enumerate(names):
        measured = points([(point.tokens, point.parts.get(name, {}).get(key)) for point in records.statistics])
        # The first layer must still be seen.
        opacity = 0.2 + 0.8 * (number + 1) / len(names)
        lines.append(Line(name=f"layer {name.removeprefix(LAYER)}", points=measured, opacity=round(opacity, 2)))
    return tuple(line for line in lines if line.points)


def _both(title: str, panels: list[Panel]) -> Chart:
    return Chart(line_panels.draw(title, panels, WIDE), line_panels.draw(title, panels, NARROW))
