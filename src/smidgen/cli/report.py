"""``smidgen report``: the page, the pictures and the model card of a run."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import Json


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, finished or not.")],
    as_json: Json = False,
) -> None:
    """Write report/index.html, PNG plots and README.md (the model card) from what the run recorded."""
    from smidgen.cli.output import print_json
    from smidgen.records.run_folder import RunFolder
    from smidgen.reports.report import write_report

    folder = RunFolder(run)
    folder.stored_recipe()
    written = write_report(folder)
    if as_json:
        print_json({key: str(value) for key, value in written.items()})
    else:
        print(f"report  {written['report']}\ncard    {written['card']}")
