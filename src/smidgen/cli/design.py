"""``smidgen design``: count and diagnose before any compute is spent."""

from typing import Annotated

import typer

from smidgen.cli.options import DataPaths, Json, Overrides


def design(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe, or the config.json of a Llama model.")],
    overrides: Overrides = None,
    data: DataPaths = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when a finding is an error.")] = False,
    as_json: Json = False,
) -> None:
    """Count parameters, operations and memory by part, and say what is wrong with a design."""
    from smidgen import api
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_design
    from smidgen.errors import CheckFailed

    summary = api.design(recipe, overrides=overrides or [], data=data or [])
    if as_json:
        print_json(summary)
    else:
        show_design(console(as_json=False), summary)
    errors = [finding["message"] for finding in summary["findings"] if finding["severity"] == "error"]
    if strict and errors:
        raise CheckFailed(f"the design has {len(errors)} error(s): {errors[0]}")
