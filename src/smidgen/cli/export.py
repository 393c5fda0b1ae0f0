"""``smidgen export``: write a model so that it loads elsewhere, and prove it."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import Json, ModelArgument


def export(
    model: ModelArgument,
    to: Annotated[str, typer.Option("--to", help="Format: hf.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the export.")],
    as_json: Json = False,
) -> None:
    """Write a Hugging Face folder, read it back with transformers and prove equal logits."""
    from smidgen import api
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_export

    screen = console(as_json=as_json)
    with screen.status("exporting and reading back"):
        record = api.export(model, out, to=to)
    if as_json:
        print_json(record)
    else:
        show_export(screen, record)
