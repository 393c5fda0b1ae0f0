"""``smidgen verify``: is every byte as it was written?"""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import Json


def verify(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A run, shard store, checkpoint or export.")],
    as_json: Json = False,
) -> None:
    """Check every recorded hash below PATH; exit with 1 when a file is damaged."""
    from smidgen.cli.output import print_json
    from smidgen.errors import BadInput, CheckFailed
    from smidgen.records.manifest import verify_tree

    if not path.is_dir():
        raise BadInput(f"{path}: no such folder")
    checked, failed = verify_tree(path)
    if not checked:
        raise BadInput(f"{path} holds no list of hashes (files.json or manifest.json); nothing can be verified")
    if as_json:
        print_json({"checked": checked, "failed": failed})
    else:
        print(f"{checked} files checked, {len(failed)} damaged", *failed, sep="\n  ")
    if failed:
        raise CheckFailed(f"{len(failed)} of {checked} files are not as they were written: {failed[0]}")
