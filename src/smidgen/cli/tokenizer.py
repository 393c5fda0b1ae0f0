"""``smidgen tokenizer``: train one, look at it, prove that it loses nothing."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import DEFAULT_CACHE, Cache, DataPaths, Json, Overrides, RecipeArgument

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Train, inspect and check a tokenizer.")

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="A tokenizer folder or a run folder.")]
TextFiles = Annotated[
    list[str] | None, typer.Option("--text", metavar="[NAME=]PATH", help="Text to measure on; may be repeated.")
]


@app.command()
def train(
    recipe: RecipeArgument,
    out: Annotated[Path, typer.Option("--out", help="New folder for the tokenizer.")],
    overrides: Overrides = None,
    data: DataPaths = None,
    cache: Cache = DEFAULT_CACHE,
    as_json: Json = False,
) -> None:
    """Train a recipe's tokenizer on its own mixture of text."""
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_tokenizer
    from smidgen.data.build import sample_texts
    from smidgen.errors import BadInput
    from smidgen.recipes.loading import load_recipe
    from smidgen.records import atomic
    from smidgen.tokenization.quality import inspect
    from smidgen.tokenization.training import train_tokenizer

    loaded = load_recipe(recipe, overrides=overrides or [], data=data or [])
    if out.exists():
        raise BadInput(f"{out} exists already; give another --out")

    def texts():
        settings = loaded.tokenizer
        seed = loaded.training.seed
        return sample_texts(loaded.data, bytes_wanted=settings.training_bytes, seed=seed, cache=cache)

    screen = console(as_json=as_json)
    with screen.status("training the tokenizer"):
        trained = train_tokenizer(texts(), loaded.tokenizer, loaded.design.vocab_size)
    with atomic.atomic_directory(out) as folder:
        trained.save(folder, context_length=loaded.design.context_length)
    with screen.status("measuring"):
        quality = inspect(trained, {"training text": texts()})
    if as_json:
        print_json({**quality, "fingerprint": trained.fingerprint})
    else:
        show_tokenizer(screen, quality)


@app.command()
def inspect(folder: FolderArgument, text: TextFiles = None, as_json: Json = False) -> None:
    """Bytes per token by domain, unused and rare entries, longest tokens."""
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_tokenizer
    from smidgen.tokenization.quality import inspect as measure

    tokenizer = _open(folder)
    quality = measure(tokenizer, {name: _texts(path) for name, path in _named(text or [])} or _built_in())
    if as_json:
        print_json(quality)
    else:
        show_tokenizer(console(as_json=False), quality)


@app.command()
def check(folder: FolderArgument, text: TextFiles = None, as_json: Json = False) -> None:
    """Prove round trips on every Unicode character and on the given text; exit with 1 on a failure."""
    from smidgen.cli.output import print_json
    from smidgen.errors import CheckFailed
    from smidgen.tokenization.quality import roundtrip_failures

    tokenizer = _open(folder)
    checked = 0
    failures: list[str] = []
    for texts in (_every_character(), *(_texts(path) for _, path in _named(text or []))):
        listed = list(texts)
        checked += len(listed)
        failures += roundtrip_failures(tokenizer, listed)
    if as_json:
        print_json({"vocab_size": tokenizer.vocab_size, "checked": checked, "roundtrip_failures": len(failures)})
    else:
        print(f"{checked} texts checked, {len(failures)} round trips failed")
    if failures:
        raise CheckFailed(f"{len(failures)} texts do not survive a round trip, the first is {failures[0][:80]!r}")


def _open(folder: Path):
    from smidgen.records.run_folder import RunFolder
    from smidgen.tokenization.tokenizer import Tokenizer

    run = RunFolder(folder)
    return Tokenizer.open(run.tokenizer if run.exists else folder)


def _named(text: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for item in text:
        name, separator, path = item.partition("=")
        pairs.append((name, path) if separator else (Path(item).name, item))
    return pairs


def _texts(path: str):
    from collections import Counter

    from smidgen.data.files import read_documents

    return (document.text for document in read_documents([path], text_key="text", rejected=Counter()))


def _built_in() -> dict:
    """Text of our own generators, for a look without any file."""
    from smidgen.data.arithmetic import arithmetic_documents
    from smidgen.data.grammar import grammar_documents

    return {
        "grammar": (document.text for document in grammar_documents(seed=0, documents=500)),
        "arithmetic": (document.text for document in arithmetic_documents(seed=0, documents=500)),
    }


def _every_character():
    """All 1,112,064 Unicode scalar values, in texts of 1,024."""
    scalars = (*range(0xD800), *range(0xE000, 0x110000))
    return ("".join(map(chr, scalars[start : start + 1024])) for start in range(0, len(scalars), 1024))
