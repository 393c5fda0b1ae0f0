"""From a model to a format that others load: the file, its proof, what it costs, and the way to the hub."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from smidgen.checkpoints.open_model import OpenModel, open_model
from smidgen.errors import BadInput
from smidgen.export.formats import FORMATS
from smidgen.records.run_folder import RunFolder


def ship(
    path: Path,
    out: Path,
    *,
    to: str,
    upload: str | None = None,
    public: bool = False,
    dry_run: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """The record of an export, as ``smidgen.export`` describes it.

    Raises ``BadInput`` for an unknown format, a model of others and an existing folder, ``CheckFailed`` for another
    result where it is read back.
    """
    if upload is None and (public or dry_run):
        raise BadInput("--public and --dry-run say how to upload; give --upload USER/NAME as well")
    if to not in FORMATS:
        raise BadInput(f"--to {to} is not a format of this version; known is {', '.join(FORMATS)}")
    model = open_model(path)
    if model.is_foreign:
        raise BadInput(f"{path} is a model of others, and those are left as they are; only our own are exported")
    if upload is not None:
        return _ship_to_hub(model, out, to, upload, public=public, dry_run=dry_run, **options)
    return (ship_gguf if to == "gguf" else FORMATS[to])(model, out, **options)


def ship_gguf(
    model: OpenModel,
    out: Path,
    *,
    types: Sequence[str] | None = None,
    imatrix: bool = False,
    ladder: bool = False,
    tasks: Sequence[str] = (),
    eval_data: Path | str | None = None,
    limit: int | None = None,
    seed: int = 0,
    stop_requested: Callable[[], bool] = lambda: False,
    on_file: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """One file of each of ``types``; ``imatrix`` measures on training text which columns matter.

    With ``ladder`` each file is measured against the model in float32, in ``tasks`` too; the record then has the
    result under "ladder", the folder ladder.json and a page. Raises what ``ship`` does.
    """
    if find_spec("gguf") is None:
        raise BadInput('GGUF files are written by the gguf package, which is missing; pip install "smidgen[gguf]"')
    from smidgen.evaluation.conditions import Conditions
    from smidgen.evaluation.tasks.documents import EvalData
    from smidgen.export.gguf.gguf_export import DEFAULT_TYPES, export_gguf
    from smidgen.export.gguf.importance import importance_of
    from smidgen.export.gguf.ladder import Asked, climb
    from smidgen.records import atomic
    from smidgen.reports.ladder.ladder_page import write_ladder_page

    if tasks and not ladder:
        raise BadInput("--tasks are scored for a ladder; add --ladder, or score a file with `smidgen evaluate`")
    data = EvalData(None if eval_data is None else Path(eval_data))
    conditions = Conditions(limit=limit, seed=seed, data=data, stop_requested=stop_requested)

    def measure(folder: Path, record: dict[str, Any]) -> None:
        asked = Asked(tasks=tasks, conditions=conditions, on_rung=lambda name: on_file(f"measuring {name}"))
        record["ladder"] = climb(model, record["files"], folder, asked)
        atomic.write_json(folder / "ladder.json", {**record["ladder"], "refused": record["refused"]})
        write_ladder_page(record, folder / "index.html")

    return export_gguf(
        model,
        out,
        types=types or DEFAULT_TYPES,
        importance=(lambda: importance_of(model)) if imatrix else None,
        finish=measure if ladder else lambda folder, record: None,
        on_file=on_file,
    )


def _ship_to_hub(
    model: OpenModel, out: Path, to: str, repo: str, *, public: bool, dry_run: bool, **options: Any
) -> dict[str, Any]:
    """The record of the export with the result of the upload under "upload"."""
    from smidgen.export import hub
    from smidgen.export.hugging_face import finished_export

    if to != "hf":
        raise BadInput(f"--upload takes Hugging Face folders, given is --to {to}; export it with --to hf")
    hub.require_ready(repo, dry_run=dry_run)
    record = finished_export(model, out, types=options.get("types", ())) or FORMATS[to](model, out, **options)
    report = RunFolder(model.path).report
    card = {path.name: path for pattern in ("README.md", "*.png") for path in report.glob(pattern)}
    if not card:
        record["notes"].append("there is no model card to upload; `smidgen report RUN` writes one")
    uploaded = hub.upload(out, repo, beside=card, public=public, dry_run=dry_run)
    return {**record, "upload": uploaded}
