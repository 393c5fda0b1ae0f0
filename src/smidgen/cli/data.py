"""``smidgen data``: tokenise a mixture into shards, look at it, check it."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import DEFAULT_CACHE, Cache, DataPaths, Json, Overrides, RecipeArgument

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
    as_json: Json = False,
) -> None:
    """Tokenise a recipe's sources into shards."""
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_data
    from smidgen.data.build import build as build_data
    from smidgen.recipes.loading import load_recipe
    from smidgen.stopping import stop_on_signals
    from smidgen.tokenization.tokenizer import Tokenizer

    loaded = load_recipe(recipe, overrides=overrides or [], data=data or [])
    screen = console(as_json=as_json)
    with stop_on_signals() as stop_requested, screen.status("tokenising") as status:
        index = build_data(
            loaded.data,
            Tokenizer.open(tokenizer),
            out=out,
            context_length=loaded.design.context_length,
            training_tokens=loaded.training.tokens,
            seed=loaded.training.seed,
            cache=cache,
            progress=lambda name, done, total: status.update(f"tokenising {name}: {done:,} of {total:,} tokens"),
            stop_requested=stop_requested,
        )
    if as_json:
        print_json({**index, "contaminated": None})
    else:
        show_data(screen, index)


@app.command()
def inspect(folder: FolderArgument, as_json: Json = False) -> None:
    """Print what a data folder holds: tokens, shares, epochs, rejected documents."""
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_data
    from smidgen.data.build import open_data

    index = open_data(_data_folder(folder), None, verify=False).index
    if as_json:
        print_json({**index, "contaminated": None})
    else:
        show_data(console(as_json=False), index)


@app.command()
def check(folder: FolderArgument, as_json: Json = False) -> None:
    """Verify every shard byte by byte; a damaged one is bad input (exit code 2)."""
    from smidgen.cli.output import print_json
    from smidgen.data.build import open_data

    opened = open_data(_data_folder(folder), None, verify=True)
    result = {"tokens": opened.index["tokens"], "shards": opened.index["shards"], "contaminated": None}
    if as_json:
        print_json(result)
    else:
        print(f"{result['shards']} shards with {result['tokens']:,} training tokens are whole")


def _data_folder(folder: Path) -> Path:
    from smidgen.records.run_folder import RunFolder

    run = RunFolder(folder)
    return run.data if run.exists else folder
