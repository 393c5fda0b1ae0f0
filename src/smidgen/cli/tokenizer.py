"""``smidgen tokenizer``: train one, look at it, prove that it loses nothing."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
    from smidgen.data.sample_texts import sample_texts
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
def inspect(
    context: typer.Context,
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER ...", help="Tokenizer folders, runs, or tokenizer.json files of others."),
    ],
    text: TextFiles = None,
    recipe: Annotated[
        str, typer.Option("--recipe", metavar="RECIPE", help="Whose shape and parameters the models have.")
    ] = "gpt-s-5m",
    width: Annotated[
        list[int] | None,
        typer.Option("--width", metavar="N", min=1, help="Width for the share of parameters; may be repeated."),
    ] = None,
    most_bytes: Annotated[
        int, typer.Option("--most-bytes", metavar="N", min=1, help="Read no more than this of each text.")
    ] = 10_000_000,
    sample: Annotated[str | None, typer.Option("--sample", metavar="TEXT", help="A text to show in pieces.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="PAGE.html", help="Write a page with charts as well.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What tokenizers make of text: how many bytes a token holds, what tokens are spent on, what a vocabulary costs.

    The first of several is what the others are held against, in models of equal size.
    """
    from smidgen.cli.output import console, print_json
    from smidgen.cli.tokenizer_display import show_tokenizers
    from smidgen.lab.tokenizers.comparison import SAMPLE, compared, described
    from smidgen.lab.tokenizers.equal_parameters import WIDTHS
    from smidgen.recipes.loading import load_recipe

    model = load_recipe(recipe)
    given: dict[str, Iterable[str]] = {name: _Beginning(path, most_bytes) for name, path in _named(text or [])}
    screen = console(as_json=as_json)
    measured = _measured(screen, folders, given or _built_in())
    widths, shown = tuple(width or WIDTHS), SAMPLE if sample is None else sample
    if len(measured) == 1:
        result = described(measured[0], model, widths=widths, sample=shown)
        rows, comparison = [result], None
    else:
        result = compared(measured, model, widths=widths, sample=shown)
        rows, comparison = result["tokenizers"], result["comparison"]
    if html is not None:
        from smidgen.reports.tokenizers.tokenizer_page import write_tokenizer_page

        write_tokenizer_page(rows, comparison, html, command=shlex.join(["smidgen", *context.obj]))
    if as_json:
        print_json(result)
        return
    show_tokenizers(screen, rows, comparison)
    if html is not None:
        screen.print(f"page {html}")


@app.command()
def check(folder: FolderArgument, text: TextFiles = None, as_json: Json = False) -> None:
    """Prove that nothing is lost: every Unicode character, digits, capitals, random text, streams, names of control
    tokens, and the given text. Exits with 1 on a failure.
    """
    from smidgen.cli.output import console, print_json
    from smidgen.errors import CheckFailed
    from smidgen.tokenization.proof import Check, built_in_checks, outcomes

    tokenizer = _open(folder)
    rejected: dict[str, Counter[str]] = {name: Counter() for name, _ in _named(text or [])}
    given = [Check(name=name, texts=_texts(path, rejected[name])) for name, path in _named(text or [])]
    screen = console(as_json=as_json)
    with screen.status("checking") as status:
        found = list(
            outcomes(
                tokenizer,
                # What was given first: it may not be readable at all.
                (*given, *built_in_checks(tokenizer)),
                lambda name, tried: status.update(f"{name}: {tried:,} texts"),
            )
        )
    failures = sum(outcome.failures for outcome in found)
    if as_json:
        print_json(
            {
                "vocab_size": tokenizer.vocab_size,
                "checked": sum(outcome.texts for outcome in found),
                "roundtrip_failures": failures,
                "checks": [outcome.to_json() for outcome in found],
                "rejected": rejected,
            }
        )
    else:
        _show_checks(screen, found)
    for name, reasons in rejected.items():
        if reasons:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
            screen.print(f"note: not all of {name} could be read: {listed}")
    if failures:
        worst = next(outcome for outcome in found if outcome.failures)
        raise CheckFailed(
            f'{failures} texts do not survive a round trip, the first of "{worst.name}" is '
            f"{(worst.first_failure or '')[:80]!r}"
        )


def _show_checks(screen, found) -> None:
    from smidgen.cli.output import table

    rows = table("check", "texts", "failures")
    for outcome in found:
        rows.add_row(outcome.name, f"{outcome.texts:,}", f"{outcome.failures:,}")
    screen.print(rows)


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


def _texts(path: str, rejected: Counter[str] | None = None):
    """``rejected`` takes the reasons why rows or pieces of the file were left out."""
    from smidgen.data.sources import read_documents

    counts = Counter() if rejected is None else rejected
    return (document.text for document in read_documents([path], text_key="text", rejected=counts))


class _Beginning:
    """The first documents of a text, which each tokenizer reads anew; the last one is read whole."""

    def __init__(self, path: str, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes

    def __iter__(self) -> Iterator[str]:
        read = 0
        for text in _texts(self._path):
            if read >= self._most_bytes:
                return
            yield text
            read += len(text.encode())


def _measured(screen, folders: Sequence[Path], texts: dict[str, Iterable[str]]) -> list:
    """Each tokenizer under a name of its own."""
    from smidgen.tokenization.quality.subject import Subject

    names = [folder.resolve().name for folder in folders]
    subjects = [
        Subject.open(folder, name if names.count(name) == 1 else str(folder))
        for folder, name in zip(folders, names, strict=True)
    ]
    return [_measured_one(screen, subject, texts) for subject in subjects]


def _measured_one(screen, subject, texts: dict[str, Iterable[str]]):
    from smidgen.reports import words
    from smidgen.tokenization.quality.measurement import measure

    read = 0
    with screen.status(f"measuring {subject.name}") as status:

        def show(domain: str, text_bytes: int) -> None:
            nonlocal read
            read += text_bytes
            status.update(f"measuring {subject.name}: {domain}, {words.size(read)}")

        return measure(subject, texts, progress=show)


def _built_in() -> dict[str, Iterable[str]]:
    """Text of our own generators, for a look without any file."""
    from smidgen.data.arithmetic import arithmetic_documents
    from smidgen.data.grammar import grammar_documents

    return {
        "grammar": [document.text for document in grammar_documents(seed=0, documents=500)],
        "arithmetic": [document.text for document in arithmetic_documents(seed=0, documents=500)],
    }
