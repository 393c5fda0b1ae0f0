"""A folder of GGUF files, each read back by llama.cpp before it is called done."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from smidgen.checkpoints.gguf.container import StoredTensor, read_gguf
from smidgen.checkpoints.open_model import OpenModel
from smidgen.design.file_sizes import refused_formats
from smidgen.design.gguf.file_types import FILE_TYPES, TensorPlan, plan_file, why_undeserved
from smidgen.design.shape import shape_of
from smidgen.errors import BadInput
from smidgen.export.destination import require_new
from smidgen.export.gguf.file import Importance, write_file
from smidgen.export.gguf.proof import EXACT, prove
from smidgen.export.gguf.quantiser import IN_PYTHON, has_llama_cpp
from smidgen.export.gguf.weights import named_weights
from smidgen.export.parity import Parity
from smidgen.records import atomic, manifest
from smidgen.records.fingerprint import sha256_of_file
from smidgen.tokenization.llama_cpp import pre_tokenizer_name

DEFAULT_TYPES = ("F32", "F16", "Q8_0")
ALL = "all"
NOT_READ = 'not read back: xllamacpp is not installed; pip install "smidgen[gguf]" and export again'


def export_gguf(
    model: OpenModel,
    out: Path,
    *,
    types: Sequence[str] = DEFAULT_TYPES,
    importance: Callable[[], Importance] | None = None,
    finish: Callable[[Path, dict[str, Any]], None] = lambda folder, record: None,
    on_file: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Write one file of each type into the new folder ``out``, and have llama.cpp read each back.

    Types that the shape does not deserve the name of, and those equal to one already written, are left out and listed
    under ``refused``. ``importance`` measures which columns matter, for the types that can use it. ``finish`` may add
    to the folder and the record before both are sealed; ``on_file`` gets the name of each type as its turn comes.

    Returns ``{"format", "kind", "files", "parity", "refused", "notes"}``, ``parity`` being that of F32. Raises
    ``BadInput`` for a model that GGUF cannot carry, an unknown type, and when no type is left or ``out`` exists;
    ``CheckFailed`` when llama.cpp disagrees, ``OutOfResources`` when the disk is full. Nothing is left behind then.
    """
    names = _chosen(types)
    _refuse(model, out)
    plans, refused = _planned(model, names, has_importance=importance is not None)
    columns = importance() if importance else None
    weights = named_weights(model.decoder)
    with atomic.atomic_directory(out) as folder:
        paths = {name: folder / f"{model.name}-{name}.gguf" for name in (EXACT, *plans)}
        proof = prove(model, paths[EXACT])
        files: list[dict[str, Any]] = []
        for name, plan in plans.items():
            on_file(name)
            if name != EXACT or proof is None:
                write_file(paths[name], model, name, plan, weights, columns)
            parity = proof.of(paths[name], name) if proof else None
            if twin := _twin(paths[name], files):
                paths[name].unlink()
                refused.append(_refusal(name, f"its tensors would be those of {twin}, to the byte"))
            else:
                files.append(_entry(paths[name], name, parity))
        if EXACT not in plans:
            paths[EXACT].unlink(missing_ok=True)
        record = {
            "format": "gguf",
            "kind": "llama",
            "files": files,
            "parity": asdict(proof.parity) if proof else None,
            "refused": refused,
            "notes": [proof.note if proof else NOT_READ],
        }
        finish(folder, record)
        manifest.seal(folder)
    return record


def _chosen(types: Sequence[str]) -> list[str]:
    if not types:
        raise BadInput(f"no type was named; known are {', '.join(FILE_TYPES)}")
    by_name = {name.upper(): name for name in FILE_TYPES}
    unknown = [name for name in types if name.upper() not in by_name and name.lower() != ALL]
    if unknown:
        raise BadInput(f"{unknown[0]} is no type of GGUF file that is known here; known are {', '.join(FILE_TYPES)}")
    if any(name.lower() == ALL for name in types):
        return list(FILE_TYPES)
    return list(dict.fromkeys(by_name[name.upper()] for name in types))


def _refuse(model: OpenModel, out: Path) -> None:
    require_new(out)
    if reasons := why_not(model):
        raise BadInput(f"GGUF cannot carry {model.name}: {reasons}")


def why_not(model: OpenModel) -> str:
    """Why GGUF cannot carry a model, empty where it can."""
    refused = refused_formats(model.config)
    if refused:
        return refused[0]["reason"]
    definition = model.tokenizer.definition
    if pre_tokenizer_name(definition.splits, definition.rules) is None:
        on = [
            name.replace("_", " ")
            for part in (definition.rules, definition.splits)
            for name in vars(part)
            if vars(part)[name]
        ]
        return (
            f"llama.cpp has no name for how its tokenizer reads text ({', '.join(on)}) and would give other token "
            "ids without a word; tokenizers with digits merged or single, and nothing else, can be carried"
        )
    return ""


def _planned(
    model: OpenModel, names: Sequence[str], *, has_importance: bool
) -> tuple[dict[str, list[TensorPlan]], list[dict[str, str]]]:
    shape = shape_of(model.config)
    plans, refused = {}, []
    for name in names:
        plan = plan_file(shape, name, has_importance=has_importance)
        if why := why_undeserved(name, plan, has_importance=has_importance) or _why_not_here(plan):
            refused.append(_refusal(name, why))
        else:
            plans[name] = plan
    if not plans:
        raise BadInput(
            "no file is left to write: " + "; ".join(f"{one['format']}: {one['reason']}" for one in refused)
        )
    return plans, refused


def _why_not_here(plans: Sequence[TensorPlan]) -> str:
    foreign = sorted({plan.kind for plan in plans} - set(IN_PYTHON))
    if foreign and not has_llama_cpp():
        return f'{foreign[0]} is made by llama.cpp, which is missing; pip install "smidgen[gguf]"'
    return ""


def _refusal(name: str, reason: str) -> dict[str, str]:
    return {"format": f"gguf {name}", "reason": reason}


def _twin(path: Path, written: Sequence[dict[str, Any]]) -> str:
    """The type of a file already written that holds the same numbers in the same bytes."""
    mine = _hash_of_tensors(path)
    return next((one["type"] for one in written if _hash_of_tensors(path.parent / one["name"]) == mine), "")


def _hash_of_tensors(path: Path) -> str:
    """SHA-256 of the part of the file behind names and settings."""
    with path.open("rb") as file:
        file.seek(read_gguf(path).start)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(path: Path, name: str, parity: Parity | None) -> dict[str, Any]:
    """What the finished file really holds, read from it."""
    tensors = read_gguf(path).tensors.values()
    return {
        "name": path.name,
        "type": name,
        "bytes": path.stat().st_size,
        "sha256": sha256_of_file(path),
        "types": dict(sorted(Counter(tensor.kind for tensor in tensors).items())),
        "bits_per_weight": round(8 * sum(tensor.bytes for tensor in tensors) / sum(map(_numbers, tensors)), 3),
        "parity": asdict(parity) if parity else None,
    }


def _numbers(tensor: StoredTensor) -> int:
    return math.prod(tensor.shape)
