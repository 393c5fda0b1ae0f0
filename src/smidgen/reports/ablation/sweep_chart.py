"""The trials of a sweep as scatter panels, one for each axis, and as rows of a table."""

from dataclasses import dataclass
from typing import Any

from smidgen.reports.ablation import quantity
from smidgen.reports.ablation.palette import colours
from smidgen.reports.ablation.result import BITS, DIVERGED, FAILED, PENDING, Result
from smidgen.reports.ablation.sweep import Axis, Sweep, SweepTrial, value_words
from smidgen.reports.ablation.variant_table import NONE, state_words
from smidgen.reports.charts import scatter_panels
from smidgen.reports.page import NARROW, WIDE, Chart

TITLE = "Bits per byte of every trial of the sweep, by setting"
UNCONFIRMED = "other"


@dataclass(frozen=True, kw_only=True)
class SweepRow:
    number: int
    name: str
    settings: tuple[str, ...]
    state: str
    is_bad: bool
    message: str
    bits_per_byte: str
    folder: str


def sweep_chart(result: Result, sweep: Sweep) -> Chart | None:
    """``None`` before anything has ended. The base's mean under its own seeds is drawn as a line."""
    ended = [trial for trial in sweep.trials if trial.state not in (PENDING, FAILED)]
    if not any(trial.bits_per_byte is not None for trial in ended):
        return None
    panels = [_panel(axis) for axis in sweep.axes]
    dots = [_dot(result, sweep, trial) for trial in ended]
    base = result.everyone[0].bits_per_byte
    drawn = [
        scatter_panels.draw(TITLE, panels, dots, width, rule=base.mean if base else None, rule_words="base")
        for width in (WIDE, NARROW)
    ]
    return Chart(*drawn)


def sweep_rows(sweep: Sweep) -> list[SweepRow]:
    """The best first, then those that did not finish."""
    ordered = sorted(sweep.trials, key=lambda one: (one.bits_per_byte is None, one.bits_per_byte or 0.0, one.number))
    return [_row(sweep, trial) for trial in ordered]


def _row(sweep: Sweep, trial: SweepTrial) -> SweepRow:
    bits = trial.bits_per_byte
    return SweepRow(
        number=trial.number,
        name=sweep.confirmed.get(trial.number, ""),
        settings=tuple(value_words(trial.settings.get(axis.key)) for axis in sweep.axes),
        state=state_words(trial.state),
        is_bad=trial.state in (DIVERGED, FAILED),
        message=trial.message,
        bits_per_byte=NONE if bits is None else quantity.value_words(BITS, bits),
        folder=trial.folder,
    )


def _panel(axis: Axis) -> scatter_panels.Panel:
    if axis.low is not None and axis.high is not None:
        return scatter_panels.Panel(name=axis.key, low=axis.low, high=axis.high, is_log=axis.is_log)
    ticks = tuple((float(place), value_words(value)) for place, value in enumerate(axis.values))
    # Values of a list stand side by side, whatever lies between them.
    return scatter_panels.Panel(name=axis.key, low=-0.4, high=len(ticks) - 0.6, ticks=ticks)


def _place(axis: Axis, value: Any) -> float:
    return float(axis.values.index(value)) if axis.values else float(value)


def _dot(result: Result, sweep: Sweep, trial: SweepTrial) -> scatter_panels.Dot:
    name = sweep.confirmed.get(trial.number, "")
    said = state_words(trial.state)
    if trial.bits_per_byte is not None:
        said = f"{quantity.value_words(BITS, trial.bits_per_byte)} bits per byte"
    elif trial.stopped_at is not None:
        said = f"{said} at {trial.stopped_at:.0%} of the training"
    settings = [f"{key} = {value_words(value)}" for key, value in trial.settings.items()]
    return scatter_panels.Dot(
        values=tuple(_place(axis, trial.settings[axis.key]) for axis in sweep.axes),
        outcome=trial.bits_per_byte,
        tip="\n".join([f"trial {trial.number}{f', {name}' if name else ''}", said, *settings]),
        colour=DIVERGED if trial.state == DIVERGED else colours(result).get(name, UNCONFIRMED),
        is_lost=trial.state == DIVERGED,
        stands_out=bool(name),
    )
