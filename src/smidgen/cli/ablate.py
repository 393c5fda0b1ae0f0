"""``smidgen ablate``: did the change help?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smidgen.cli.options import (
    DEFAULT_CACHE,
    DEFAULT_NOISE,
    Cache,
    DataPaths,
    Device,
    EvalDataFolder,
    Json,
    MaxSeconds,
    Overrides,
)

if TYPE_CHECKING:
    from rich.console import Console


def ablate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to compare: a .toml file (docs/ablations.md).")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder of all trials; by default runs/NAME.")] = None,
    overrides: Overrides = None,
    data: DataPaths = None,
    eval_data: EvalDataFolder = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Trials at a time; by default one for each GPU or processor core."),
    ] = None,
    device: Device = None,
    max_seconds: MaxSeconds = None,
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE.md", help="Add a line with the verdicts once all is finished."),
    ] = None,
    cache: Cache = DEFAULT_CACHE,
    noise: Annotated[
        Path, typer.Option("--noise", help="Folder for the noise floors of shipped recipes.", show_default=False)
    ] = DEFAULT_NOISE,
    as_json: Json = False,
) -> None:
    """Train variants and seeds of a recipe under an equal budget and judge; repeat the command to continue.

    The same command on several machines that share the folder divides the trials among them.
    """
    from smidgen import api
    from smidgen.cli.ablation_display import AblationDisplay
    from smidgen.cli.live_run import raise_if_stopped, time_as_resource
    from smidgen.cli.output import print_json
    from smidgen.lab.ablation.definition import read_ablation
    from smidgen.stopping import stop_on_signals

    given: dict[str, Any] = {"overrides": overrides or [], "data": data or []}
    ablation = read_ablation(file, **given)
    folder = out or Path("runs") / ablation.name
    with (
        AblationDisplay(ablation, folder, as_json=as_json) as display,
        stop_on_signals(max_seconds) as stop_requested,
        time_as_resource(stop_requested),
    ):
        result = api.ablate(
            file,
            folder,
            **given,
            eval_data=eval_data,
            workers=workers,
            device=device,
            cache=cache,
            noise=noise,
            log=log,
            stop_requested=stop_requested,
            watcher=display,
        )
    if as_json:
        print_json(result)
    else:
        _show(display.screen, result)
    if not result["finished"]:
        raise_if_stopped(stop_requested.reason, folder, saved="what the trials have is saved")
    _raise_if_failed(result)


def _show(screen: "Console", result: dict[str, Any]) -> None:
    """The verdicts of all variants, bits per byte first; then what has to be known to trust them."""
    from rich.text import Text

    from smidgen.cli.output import table
    from smidgen.cli.sweep_display import show_sweep
    from smidgen.reports.ablation import quantity
    from smidgen.reports.ablation.answer import headline
    from smidgen.reports.ablation.result import read_result

    read = read_result(result, Path(result["run"]))
    screen.print()
    screen.print(Text(headline(read), style="bold"))
    shown = table("variant", "task", "base", "variant", "difference, 95% interval", "adjusted p", "seeds", "verdict")
    for column in (1, 7):
        shown.columns[column].justify = "left"
    for one in read.verdicts:
        shown.add_row(
            one.variant if one.scale == 1 else f"{one.variant}, {one.scale:g}x",
            quantity.task_words(one.task),
            *(
                "" if value is None else quantity.value_words(one.metric, value)
                for value in (one.base_value, one.value)
            ),
            "" if one.difference is None else quantity.with_interval(one.metric, one.difference, one.low, one.high),
            "" if one.p_adjusted is None else f"{one.p_adjusted:.2g}",
            str(one.seeds),
            one.verdict,
        )
    if read.verdicts:
        screen.print(shown)
    if read.sweep is not None:
        show_sweep(screen, read.sweep, is_summarised=not read.variants)
    for warning in read.warnings:
        screen.print(Text(f"note: {warning}", style="yellow"))
    screen.print(f"open {Path(result['run']) / 'report' / 'index.html'}")


def _raise_if_failed(result: dict[str, Any]) -> None:
    from smidgen.errors import CheckFailed
    from smidgen.lab.ablation.outcome import FAILED

    trials = [trial for variant in result["variants"] for trial in variant["trials"]]
    failed = [trial for trial in trials if trial["state"] == FAILED]
    if failed:
        raise CheckFailed(
            f"{len(failed)} of {len(trials)} trials failed: {failed[0]['folder']}: {failed[0]['message']}"
        )
