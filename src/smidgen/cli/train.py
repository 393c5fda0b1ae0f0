"""``smidgen train``: pretrain a recipe, or go on with a run."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import DEFAULT_CACHE, Cache, Compile, DataPaths, Device, Json, MaxSeconds, Overrides, Sinks
from smidgen.cli.processes import Processes, is_first_process, run_in_processes


def train(
    context: typer.Context,
    recipe: Annotated[
        str | None, typer.Argument(metavar="[RECIPE]", help="Recipe of a new run; left out with --resume.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Run folder; by default runs/NAME.")] = None,
    resume: Annotated[Path | None, typer.Option("--resume", metavar="RUN", help="Continue this run folder.")] = None,
    max_tokens: Annotated[
        float | None,
        typer.Option("--max-tokens", min=1, help="Save and end once the run has seen this many tokens (exit 75)."),
    ] = None,
    overrides: Overrides = None,
    data: DataPaths = None,
    device: Device = None,
    compile: Compile = None,
    max_seconds: MaxSeconds = None,
    sinks: Sinks = None,
    processes: Processes = None,
    cache: Cache = DEFAULT_CACHE,
    as_json: Json = False,
) -> None:
    """Pretrain a recipe; makes its tokenizer and data first where the run folder has none."""
    from smidgen.cli.live_run import live_run, raise_if_stopped
    from smidgen.cli.output import print_json
    from smidgen.errors import BadInput
    from smidgen.recipes.loading import load_recipe, recipe_from_dict
    from smidgen.records.run_folder import RunFolder

    run_in_processes(processes, context.obj)
    if (recipe is None) == (resume is None):
        raise BadInput("give either a RECIPE for a new run or --resume RUN to continue one")
    if resume is not None:
        if overrides or data or out:
            raise BadInput("a run keeps its recipe: --resume takes no --set, --data or --out")
        run_folder = RunFolder(resume)
        loaded = recipe_from_dict(run_folder.stored_recipe(), origin=str(run_folder.recipe))
    else:
        loaded = load_recipe(str(recipe), overrides=overrides or [], data=data or [])
        run_folder = RunFolder(out or Path("runs") / loaded.name)
    results, stopped = live_run(
        loaded,
        run_folder,
        until="train",
        command=f"smidgen train --resume {run_folder.path}",
        as_json=as_json,
        max_seconds=max_seconds,
        sinks=sinks or [],
        device=device,
        compile=compile,
        cache=cache,
        max_tokens=int(max_tokens) if max_tokens else None,
    )
    if as_json and is_first_process():
        print_json({**results["train"], "run": str(run_folder.path)})
    raise_if_stopped(stopped, run_folder.path)
