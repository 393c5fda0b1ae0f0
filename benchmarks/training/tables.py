"""What is printed about the competitors."""

import statistics
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from training.competitor import Competitor
from training.turn import PARTS, REST, StepReport

CONSOLE = Console(width=118)


def show_speeds(
    competitors: Sequence[Competitor], *, title: str, step_tokens: int, step_flops: float, peak: float
) -> None:
    """``peak`` is what the processor can do in a large square product, in operations per second."""
    first = competitors[0]
    CONSOLE.print(f"\n{title}")
    table = Table(box=None)
    columns = ("tokens/s", "x (clock)", "x (processor)", "of the peak", "first loss", "last loss", "memory")
    for column in ("step", *columns):
        table.add_column(column, justify="right" if column in columns else "left")
    for competitor in competitors:
        seconds = statistics.median(step.wall_seconds for step in competitor.steps)
        table.add_row(
            competitor.name,
            f"{step_tokens / seconds:,.0f}",
            f"{times_as_fast(competitor, first, clock):.2f}",
            f"{times_as_fast(competitor, first, processor):.2f}",
            f"{step_flops / seconds / peak:.0%}",
            f"{competitor.first_loss:.4f}",
            f"{competitor.steps[-1].loss:.4f}",
            f"{competitor.steps[-1].peak_memory_bytes / 1e9:.1f} GB",
        )
    together = sum(competitor.steps[-1].peak_memory_bytes for competitor in competitors)
    CONSOLE.print(table, f"Peak: {peak / 1e9:,.0f} GFLOP/s. Memory of all together: {together / 1e9:.1f} GB.")


def show_against(ours: Competitor, others: Sequence[Competitor]) -> None:
    CONSOLE.print(f"\n{ours.name!r} against others: how many times as fast")
    table = Table(box=None)
    for column in ("", "x (clock)", "x (processor)"):
        table.add_column(column, justify="right" if column else "left")
    for other in others:
        ratios = (times_as_fast(ours, other, seconds) for seconds in (clock, processor))
        table.add_row(other.name, *(f"{ratio:.2f}" for ratio in ratios))
    CONSOLE.print(table)


def show_stretch(title: str, whole: Sequence[StepReport], bare: Sequence[StepReport], *, step_tokens: int) -> None:
    """Steps of a whole run, among them those after which it measured and saved, against as many bare ones."""
    CONSOLE.print(f"\n{title}")
    table = Table(box=None)
    for column in ("", "bare steps, tokens/s", "whole run, tokens/s", "x", "beyond its median step"):
        table.add_column(column, justify="right" if column else "left")
    for name, seconds in (("clock", clock), ("processor", processor)):
        whole_seconds, bare_seconds = (sum(map(seconds, steps)) for steps in (whole, bare))
        usual = statistics.median(map(seconds, whole)) * len(whole)
        table.add_row(
            name,
            f"{len(bare) * step_tokens / bare_seconds:,.0f}",
            f"{len(whole) * step_tokens / whole_seconds:,.0f}",
            f"{bare_seconds / whole_seconds:.2f}",
            f"{whole_seconds - usual:.1f} s of {whole_seconds:.1f} s",
        )
    CONSOLE.print(table)


def show_parts(competitors: Sequence[Competitor]) -> None:
    CONSOLE.print("\nMilliseconds of a step by part, from one profiled step")
    table = Table(box=None)
    table.add_column("step")
    for part in (*PARTS, REST):
        table.add_column(part, justify="right")
    for competitor in competitors:
        milliseconds = competitor.step(profiled=True).milliseconds
        table.add_row(competitor.name, *(f"{milliseconds.get(part, 0.0):,.0f}" for part in (*PARTS, REST)))
    CONSOLE.print(table)


def clock(step: StepReport) -> float:
    return step.wall_seconds


def processor(step: StepReport) -> float:
    return step.cpu_seconds


def times_as_fast(one: Competitor, other: Competitor, seconds: Callable[[StepReport], float]) -> float:
    """How many times as fast as the other one is: the median over rounds, so that a slow round counts for both."""
    return statistics.median(seconds(b) / seconds(a) for a, b in zip(one.steps, other.steps, strict=True))
