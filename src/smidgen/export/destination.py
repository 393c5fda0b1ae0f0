"""Where an export is written."""

from pathlib import Path

from smidgen.errors import BadInput


def require_new(out: Path) -> None:
    """Raise ``BadInput`` where there is something already: no export overwrites what it finds."""
    if out.exists():
        raise BadInput(f"{out} exists already and is left as it is; give a new folder as --out, or remove it first")
