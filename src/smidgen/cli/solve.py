"""``smidgen solve``: the best shape under a budget, with the derivation."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import Json


def solve(
    context: typer.Context,
    parameters: Annotated[
        str, typer.Option("--parameters", metavar="N", help="The budget: 5M, 4.9e6 or 5_000_000.", show_default=False)
    ],
    vocab_size: Annotated[int | None, typer.Option("--vocab-size", help="Entries of the tokenizer.")] = None,
    context_length: Annotated[int, typer.Option("--context", help="Tokens that the model sees at once.")] = 512,
    gguf: Annotated[
        bool, typer.Option("--gguf", help="Only widths that GGUF's K-quants take: multiples of 256.")
    ] = False,
    multiple_of: Annotated[
        int,
        typer.Option("--multiple-of", metavar="N", help="Only sizes that are multiples, e.g. 64 for tensor cores."),
    ] = 1,
    kv_bytes: Annotated[
        str | None,
        typer.Option("--kv-bytes", metavar="N", help="Most bytes of the cache of a full context (bfloat16)."),
    ] = None,
    tokens_per_second: Annotated[
        str | None, typer.Option("--tokens-per-second", metavar="N", help="Least speed of training, on --hardware.")
    ] = None,
    hardware: Annotated[str, typer.Option("--hardware", help="What it is trained on, e.g. cpu, t4 or h100.")] = "",
    xsa: Annotated[bool, typer.Option("--xsa/--no-xsa", help="Exclusive self attention.")] = False,
    tie: Annotated[bool, typer.Option("--tie/--untie", help="One table for input and output.")] = True,
    tokens: Annotated[str | None, typer.Option("--tokens", metavar="N", help="Tokens it will be trained on.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many widths and depths to list.")] = 8,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="RECIPE.toml", help="Write the best as a recipe that runs.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PAGE.html", help="Write a page with the design space as well.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the best shapes under a budget of parameters, and say by whose law.

    Shapes spend at most the budget and at least 99% of it.
    """
    from smidgen import api
    from smidgen.cli.counts import count_from
    from smidgen.cli.output import console, print_json
    from smidgen.cli.solution_display import show_solution

    def counted(text: str | None, option: str) -> int | None:
        return None if text is None else count_from(text, option=option)

    words: list[str] = context.obj or []
    result = api.solve(
        count_from(parameters, option="--parameters"),
        top=top,
        recipe=write,
        page=out,
        command=shlex.join(["smidgen", *words]),
        vocab_size=vocab_size,
        context_length=context_length,
        gguf=gguf,
        multiple_of=multiple_of,
        kv_bytes=counted(kv_bytes, "--kv-bytes"),
        tokens_per_second=counted(tokens_per_second, "--tokens-per-second"),
        hardware=hardware,
        xsa=xsa,
        tie_embeddings=tie,
        training_tokens=counted(tokens, "--tokens"),
    )
    if as_json:
        print_json(result)
        return
    screen = console(as_json=False)
    show_solution(screen, result)
    for what, path in (("recipe", write), ("page", out)):
        if path is not None:
            screen.print(f"{what} {path}")
