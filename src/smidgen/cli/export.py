"""``smidgen export``: write a model so that it loads elsewhere, and prove it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from smidgen.cli.options import EvalDataFolder, Json, ModelArgument
from smidgen.errors import BadInput
from smidgen.export.formats import FORMATS

GGUF_PANEL = "With --to gguf"
HUB_PANEL = "With --to hf"


def export(
    model: ModelArgument,
    to: Annotated[str, typer.Option("--to", help=f"Format: {', '.join(FORMATS)}.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for the export.")],
    types: Annotated[
        str | None,
        typer.Option(
            "--types",
            metavar="A,B",
            help="GGUF: types of files, such as F16,Q8_0,Q4_K_M, or all (F32,F16,Q8_0 if not given). hf: F32, or "
            "BF16 for weights of half the size.",
        ),
    ] = None,
    ladder: Annotated[
        bool,
        typer.Option("--ladder", help="Measure what each type costs, and write a page.", rich_help_panel=GGUF_PANEL),
    ] = False,
    tasks: Annotated[
        str | None,
        typer.Option("--tasks", metavar="A,B", help="Tasks that the ladder scores.", rich_help_panel=GGUF_PANEL),
    ] = None,
    eval_data: EvalDataFolder = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Items of each task at most.", rich_help_panel=GGUF_PANEL)
    ] = None,
    imatrix: Annotated[
        bool,
        typer.Option(
            "--imatrix",
            help="Let training text say which columns matter, as types of about two bits need.",
            rich_help_panel=GGUF_PANEL,
        ),
    ] = False,
    upload: Annotated[
        str | None,
        typer.Option(
            "--upload",
            metavar="USER/NAME",
            help="Put it and the run's card on the Hugging Face hub, for nobody else to see.",
            rich_help_panel=HUB_PANEL,
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Let everybody see what is uploaded.", rich_help_panel=HUB_PANEL)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be uploaded.", rich_help_panel=HUB_PANEL)
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a model in another format, read it back where it will be used and prove equal logits."""
    from smidgen import api
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_export
    from smidgen.stopping import stop_on_signals

    screen = console(as_json=as_json)
    for_gguf = {
        "ladder": ladder,
        "tasks": _listed(tasks),
        "eval_data": eval_data,
        "limit": limit,
        "imatrix": imatrix,
    }
    options: dict[str, Any] = {name: value for name, value in for_gguf.items() if value}
    if options and to != "gguf":
        raise BadInput(f"--{next(iter(options)).replace('_', '-')} belongs to --to gguf, given is --to {to}")
    if types and to not in ("gguf", "hf"):
        raise BadInput(f"--types belongs to --to gguf and --to hf, given is --to {to}")
    for_others = {"types": _listed(types), "upload": upload, "public": public, "dry_run": dry_run}
    options |= {name: value for name, value in for_others.items() if value}
    with stop_on_signals() as stop_requested, screen.status("exporting and reading back") as status:
        if to == "gguf":
            options |= {"stop_requested": stop_requested, "on_file": lambda name: status.update(f"GGUF: {name}")}
        record = api.export(model, out, to=to, **options)
    if as_json:
        print_json(record)
    else:
        show_export(screen, record)


def _listed(value: str | None) -> list[str]:
    return [one.strip() for one in (value or "").split(",") if one.strip()]
