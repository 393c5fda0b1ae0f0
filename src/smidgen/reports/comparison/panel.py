"""Small charts, one for each task: margins and calibration of all models over each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from smidgen.lab.diagnosis import calibration, histogram, items_of, margins
from smidgen.reports import words
from smidgen.reports.charts import calibration_chart, margin_histogram
from smidgen.reports.comparison.contender import Contender
from smidgen.reports.comparison.metrics import signed

# Two stand side by side on a desk, one fills a phone.
WIDTH = 340
_UNITS = {"acc": "nats", "acc_norm": "nats per character", "acc_bytes": "nats per byte"}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A chart of one task with one line of numbers for each model."""

    task: str
    chart: Markup
    lines: tuple[tuple[Contender, str], ...]


def margin_panels(models: Sequence[Contender], metrics: dict[str, str]) -> list[Panel]:
    """For tasks that are choices, by the metric to quote."""
    panels = (_margin_panel(models, task, metric) for task, metric in metrics.items() if metric in _UNITS)
    return [panel for panel in panels if panel]


def calibration_panels(models: Sequence[Contender], metrics: dict[str, str]) -> list[Panel]:
    """By plain log-probabilities, whatever the metric to quote: only these are the model's own."""
    panels = (_calibration_panel(models, task) for task in metrics)
    return [panel for panel in panels if panel]


def _margin_panel(models: Sequence[Contender], task: str, metric: str) -> Panel | None:
    found = {model: list(margins(model.record, task, metric).values()) for model in models}
    samples = {model.name: values for model, values in found.items() if values}
    if not samples:
        return None
    colours = {model.name: model.colour for model in models}
    unit = _unit(models, task, metric)
    title = f"{task}: margins of right endings in {unit}"
    chart = margin_histogram.draw(title, histogram(samples), unit, colours, WIDTH)
    lines = [(model, f"median margin {signed(_median(values))}") for model, values in found.items() if values]
    return Panel(task=task, chart=chart, lines=tuple(lines))


def _unit(models: Sequence[Contender], task: str, metric: str) -> str:
    items = (item for model in models for item in items_of(model.record, task).values())
    has_tokens = metric == "acc_norm" and any("tokens" in item for item in items)
    return "nats per token" if has_tokens else _UNITS[metric]


def _calibration_panel(models: Sequence[Contender], task: str) -> Panel | None:
    found = {model: curve for model in models if (curve := calibration(model.record, task))}
    if not found:
        return None
    chart = calibration_chart.draw(
        f"{task}: accuracy over confidence",
        {model.name: curve for model, curve in found.items()},
        {model.name: model.colour for model in models},
        WIDTH,
    )
    lines = [
        (model, f"error {words.percent(error.value)} ({100 * error.low:.1f} to {100 * error.high:.1f})")
        for model, curve in found.items()
        for error in (curve.error,)
    ]
    return Panel(task=task, chart=chart, lines=tuple(lines))


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
