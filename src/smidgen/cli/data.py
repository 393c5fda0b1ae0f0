"""``smidgen data``: tokenise a mixture into shards, look at it, check it."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import DEFAULT_CACHE, Cache, DataPaths, EvalDataFolder, Json, Overrides, RecipeArgument

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Build, inspect and check training data.")

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="A data folder or a run folder.")]


@app.command()
def build(
    recipe: RecipeArgument,
    tokenizer: Annotated[Path, typer.Option("--tokenizer", help="Folder of the tokenizer to use.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the shards.")],
    overrides: Overrides = None,
    data: DataPaths = None,
    cache: Cache = DEFAULT_CACHE,
    eval_data: EvalDataFolder = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes that tokenise; by default one for each core."),
    ] = None,
    executor: Annotated[
        str, typer.Option("--executor", metavar="NAME", help="What runs them: pool, datatrove or ray.")
    ] = "pool",
    as_json: Json = False,
) -> None:
    """Tokenise a recipe's sources into shards, the same bytes however many processes do it. Stopped or killed, the
    same command goes on. With --eval-data documents are compared with evaluation sets.
    """
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_data
    from smidgen.data.build import build as build_data
    from smidgen.data.pipeline.execution import Execution, checked_executor
    from smidgen.recipes.loading import load_recipe
    from smidgen.stopping import stop_on_signals
    from smidgen.tokenization.tokenizer import Tokenizer

    execution = Execution(executor=checked_executor(executor), workers=workers)
    loaded = load_recipe(recipe, overrides=overrides or [], data=data or [])
    screen = console(as_json=as_json)
    opened = Tokenizer.open(tokenizer)
    evaluation, skipped = None, dict[str, str]()
    if eval_data is not None:
        from smidgen.evaluation.tasks.documents import EvalData
        from smidgen.evaluation.tasks.evaluation_index import evaluation_index

        evaluation, skipped = evaluation_index(loaded.data.quality, EvalData(eval_data))
    with stop_on_signals() as stop_requested, screen.status("tokenising") as status:
        index = build_data(
            loaded.data,
            opened,
            out=out,
            context_length=loaded.design.context_length,
            training_tokens=loaded.training.tokens,
            seed=loaded.training.seed,
            cache=cache,
            evaluation=evaluation,
            execution=execution,
            progress=lambda name, done, total: status.update(f"tokenising {name}: {done:,} of {total:,} tokens"),
            stop_requested=stop_requested,
        )
    for notice in (opened.notice, *(f"not compared with {task}: {reason}" for task, reason in skipped.items())):
        if notice:
            screen.print(f"note: {notice}")
    if as_json:
        print_json(index)
    else:
        show_data(screen, index)


@app.command()
def inspect(folder: FolderArgument, as_json: Json = False) -> None:
    """Print what a data folder holds: tokens, shares, epochs, rejected documents."""
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_data
    from smidgen.data.training_data import open_data

    index = open_data(_data_folder(folder), None, verify=False).index
    if as_json:
        print_json({"contaminated": None, **index})
    else:
        show_data(console(as_json=False), index)


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="A data folder or a run folder.", show_default=False)
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="PATH", help="Files or folders of text instead of built data."),
    ] = None,
    eval_data: EvalDataFolder = None,
    tasks: Annotated[
        str | None,
        typer.Option("--tasks", metavar="A,B", help="Tasks and suites whose items to look for (open-slm)."),
    ] = None,
    tokenizer: Annotated[
        Path | None, typer.Option("--tokenizer", help="Of a data folder whose text is compared; a run has its own.")
    ] = None,
    filters: Annotated[str, typer.Option("--filters", help="Rules for --text: none, mild or gopher.")] = "mild",
    near_duplicates: Annotated[
        float, typer.Option("--near-duplicates", help="For --text: similarity from which on, such as 0.8; 0 is off.")
    ] = 0.0,
    listing: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="Write every finding as a line of JSON.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify built data byte by byte, or look through text: find duplicates and items of evaluation sets.

    Items are looked for with --eval-data or --tasks. Damaged data are bad input (exit code 2).
    """
    from smidgen.cli.data_check import Comparison, check_folder, check_text
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show_quality import show_quality
    from smidgen.errors import BadInput

    if (folder is None) == (not text):
        raise BadInput("data check needs a data folder, or files with --text PATH, and not both")
    comparison = Comparison(eval_data=eval_data, tasks=tasks, listing=listing)
    if folder is not None:
        result = check_folder(folder, tokenizer=tokenizer, comparison=comparison)
    else:
        result = check_text(text or [], filters=filters, near_duplicates=near_duplicates, comparison=comparison)
    if as_json:
        print_json(result)
    else:
        show_quality(console(as_json=False), result)


def _data_folder(folder: Path) -> Path:
    from smidgen.records.run_folder import RunFolder

    run = RunFolder(folder)
    return run.data if run.exists else folder
