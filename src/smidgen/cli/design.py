"""``smidgen design``: count and diagnose before any compute is spent."""

from typing import Annotated

import typer

from smidgen.cli.options import DataPaths, Json, Overrides


def design(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A recipe, a run folder, or the config.json of a model of others.")
    ],
    overrides: Overrides = None,
    data: DataPaths = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="N", help="Most parameters that are wanted: 5M, 4.9e6.")
    ] = None,
    context: Annotated[
        str | None, typer.Option("--context", metavar="N", help="Tokens that the cache is to hold.")
    ] = None,
    document_tokens: Annotated[
        str | None, typer.Option("--document-tokens", metavar="N", help="Usual length of the documents.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option("--scale", metavar="N", help="Plan a training on so many tokens: 25B.")
    ] = None,
    prices: Annotated[
        list[str] | None,
        typer.Option("--price-per-hour", metavar="NAME=PRICE", help="What an hour costs, e.g. h100=2.50."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when a finding is an error.")] = False,
    as_json: Json = False,
) -> None:
    """Count parameters, operations, memory and files, and say what is wrong with a design."""
    from smidgen import api
    from smidgen.cli.counts import count_from
    from smidgen.cli.design_display import show_design
    from smidgen.cli.output import console, print_json
    from smidgen.errors import CheckFailed

    def counted(text: str | None, option: str) -> int | None:
        return None if text is None else count_from(text, option=option)

    summary = api.design(
        recipe,
        overrides=overrides or [],
        data=data or [],
        budget=counted(budget, "--budget"),
        cache_tokens=counted(context, "--context"),
        document_tokens=counted(document_tokens, "--document-tokens"),
        scale=counted(scale, "--scale"),
        price_per_hour=dict(_price(text) for text in prices or []),
    )
    if as_json:
        print_json(summary)
    else:
        show_design(console(as_json=False), summary)
    errors = [finding["message"] for finding in summary["findings"] if finding["severity"] == "error"]
    if strict and errors:
        raise CheckFailed(f"the design has {len(errors)} error(s): {errors[0]}")


def _price(text: str) -> tuple[str, float]:
    from smidgen.errors import BadInput

    name, _, price = text.partition("=")
    try:
        return name, float(price)
    except ValueError:
        raise BadInput(f"--price-per-hour {text} must be NAME=PRICE, for example h100=2.50") from None
