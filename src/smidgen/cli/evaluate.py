"""``smidgen evaluate``: scores with intervals."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import Json, ModelArgument


def evaluate(
    model: ModelArgument,
    tasks: Annotated[
        str | None, typer.Option("--tasks", metavar="A,B", help="Task names, separated by commas; all by default.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="At most this many items of each task.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of generated items.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Score file; for a run, scores/evaluate.json by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score a model in float32 with 95% intervals and floor baselines; per-item results go to the score file."""
    from smidgen import api
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_scores
    from smidgen.records import atomic
    from smidgen.records.run_folder import RunFolder
    from smidgen.stopping import stop_on_signals

    screen = console(as_json=as_json)
    wanted = None if tasks is None else [task.strip() for task in tasks.split(",") if task.strip()]
    with stop_on_signals() as stop_requested, screen.status("loading the model") as status:
        record = api.evaluate(
            model,
            wanted,
            limit=limit,
            seed=seed,
            stop_requested=stop_requested,
            on_task=lambda task: status.update(f"scoring {task}"),
        )
    if out is None and RunFolder(model).exists:
        out = RunFolder(model).scores / "evaluate.json"
    if out is not None:
        atomic.write_json(out, record)
    shown = {key: value for key, value in record.items() if key != "items"}
    if as_json:
        print_json(shown)
    else:
        show_scores(screen, shown)
