"""``smidgen run``: the whole life of a model in one command."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import (
    DEFAULT_CACHE,
    Cache,
    Compile,
    DataPaths,
    Device,
    EvalDataFolder,
    Json,
    MaxSeconds,
    Overrides,
    RecipeArgument,
    Sinks,
)
from smidgen.cli.processes import Processes, is_first_process, run_in_processes


def run(
    context: typer.Context,
    recipe: RecipeArgument,
    out: Annotated[Path | None, typer.Option("--out", help="Run folder; by default runs/NAME.")] = None,
    overrides: Overrides = None,
    data: DataPaths = None,
    eval_data: EvalDataFolder = None,
    device: Device = None,
    compile: Compile = None,
    max_seconds: MaxSeconds = None,
    sinks: Sinks = None,
    processes: Processes = None,
    cache: Cache = DEFAULT_CACHE,
    as_json: Json = False,
) -> None:
    """Design, tokenize, mix, pretrain, score, export, sample and report; repeat the command to continue."""
    import shlex

    from smidgen.cli.live_run import live_run, raise_if_stopped
    from smidgen.cli.output import print_json
    from smidgen.recipes.loading import load_recipe
    from smidgen.records.run_folder import RunFolder

    run_in_processes(processes, context.obj)
    loaded = load_recipe(recipe, overrides=overrides or [], data=data or [])
    run_folder = RunFolder(out or Path("runs") / loaded.name)
    options = [f"--set {shlex.quote(item)}" for item in overrides or []]
    options += [f"--data {shlex.quote(item)}" for item in data or []]
    options += [f"--eval-data {shlex.quote(str(eval_data))}"] if eval_data else []
    results, stopped = live_run(
        loaded,
        run_folder,
        until="report",
        command=" ".join(["smidgen run", shlex.quote(recipe), *options, "--out", shlex.quote(str(run_folder.path))]),
        as_json=as_json,
        max_seconds=max_seconds,
        sinks=sinks or [],
        eval_data=eval_data,
        device=device,
        compile=compile,
        cache=cache,
    )
    if as_json and is_first_process():
        print_json(results)
    raise_if_stopped(stopped, run_folder.path)
