"""The folder for a web host: the page, and the model beside it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import save

from smidgen.checkpoints.open_model import OpenModel
from smidgen.export.destination import require_new
from smidgen.export.web.browser import find_browser
from smidgen.export.web.description import model_description
from smidgen.export.web.read_back import check_web_folder
from smidgen.records import atomic, manifest
from smidgen.records.fingerprint import sha256_of_file

PAGE = Path(__file__).parent / "page"
INDEX, MODELS = "index.html", "models.json"
DESCRIPTION, WEIGHTS = "model/model.json", "model/weights.safetensors"


def export_web(model: OpenModel, out: Path, *, check: bool = True) -> dict[str, Any]:
    """Write the folder ``out``, let a browser read it back, and say what was written and how well it agrees.

    Returns ``{"format", "kind", "files", "parity", "refused", "notes"}``; ``parity`` is None where nothing was
    compared. Raises ``BadInput`` when ``out`` exists, ``CheckFailed`` when the browser disagrees, and
    ``OutOfResources`` when the disk is full. In each case nothing is left behind.
    """
    require_new(out)
    with atomic.atomic_directory(out) as folder:
        write_page(folder, [{"address": DESCRIPTION}])
        _write_model(model, folder)
        parity, notes = _checked(folder, model) if check else (None, ["not read back, as was asked"])
        entries = manifest.seal(folder)
    page_bytes = sum(entry["bytes"] for name, entry in entries.items() if not name.startswith("model/"))
    return {
        "format": "web",
        "kind": "static folder",
        "files": [_file(name, entry) for name, entry in entries.items()],
        "parity": parity,
        "refused": [],
        "notes": [f"the page without the model is {page_bytes / 1000:.0f} kB; any static web host will do", *notes],
    }


def write_page(folder: Path, models: Sequence[dict[str, Any]]) -> None:
    """The page without a model; ``models`` are the addresses of their descriptions."""
    for path in sorted(PAGE.iterdir()):
        name = path.name if path.name == INDEX else f"page/{path.name}"
        atomic.write_bytes(folder / name, path.read_bytes())
    atomic.write_json(folder / MODELS, {"models": list(models)})


def _write_model(model: OpenModel, folder: Path) -> None:
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.decoder.state_dict().items()}
    path = folder / WEIGHTS
    atomic.write_bytes(path, save(tensors))
    weights = {"file": path.name, "bytes": path.stat().st_size, "sha256": sha256_of_file(path)}
    # Without blanks: merges and classes are many numbers, and visitors load them all.
    description = json.dumps(model_description(model, weights), ensure_ascii=False, separators=(",", ":"))
    atomic.write_text(folder / DESCRIPTION, description)


def _file(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, **entry, **({"bits_per_weight": 32.0} if name == WEIGHTS else {})}


def _checked(folder: Path, model: OpenModel) -> tuple[dict[str, float] | None, list[str]]:
    browser = find_browser()
    if browser is None:
        return None, ["not read back: no Chromium or Chrome was found on this machine; install one and export again"]
    parity, version = check_web_folder(folder, model, browser)
    # The page shows it to its visitors.
    proof = {"browser": version, "max_abs_logit_diff": parity.max_abs_logit_diff}
    atomic.write_json(folder / MODELS, {"models": [{"address": DESCRIPTION, "proof": proof}]})
    return asdict(parity), [f"read back in {version}"]
