"""A folder with ``model.onnx`` and the tokenizer, read back by onnxruntime before it is called done."""

import importlib.util
import json
from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smidgen.checkpoints.open_model import OpenModel, config_as_dict
from smidgen.errors import BadInput
from smidgen.export.destination import require_new
from smidgen.export.hugging_face_config import generation_config_json
from smidgen.export.onnx.usage import usage
from smidgen.records import atomic, manifest

if TYPE_CHECKING:
    from onnx import ModelProto

MODEL_NAME, README_NAME = "model.onnx", "README.md"
# Numbers of onnx.TensorProto.DataType: besides the weights there are constants and the tables of token classes.
_TYPES = {1: "F32", 6: "I32", 7: "I64", 9: "BOOL"}
NEEDED = ("onnx", "onnxscript", "onnxruntime")


def export_onnx(model: OpenModel, out: Path) -> dict[str, Any]:
    """Write the folder ``out``, have onnxruntime read it back, and say what was written and how well it agrees.

    Returns ``{"format", "kind", "files", "parity", "refused", "notes"}``. Raises ``BadInput`` when ``out`` exists or
    a package is missing, ``CheckFailed`` when onnxruntime disagrees, and ``OutOfResources`` when the disk is full. In
    each case nothing is left behind.
    """
    _refuse(out)
    # Imported here, as the rest of Smidgen works without the packages they need.
    from smidgen.export.onnx.graph import OPSET, decoding_graph
    from smidgen.export.onnx.read_back import check_onnx

    graph = decoding_graph(model.decoder, _metadata(model))
    with atomic.atomic_directory(out) as folder:
        atomic.write_bytes(folder / MODEL_NAME, graph.SerializeToString(deterministic=True))
        model.tokenizer.save(folder, context_length=model.config.context_length)
        atomic.write_json(folder / "generation_config.json", _generation_config(model))
        atomic.write_text(folder / README_NAME, usage(model, OPSET))
        parity = check_onnx(folder, model)
        entries = manifest.seal(folder)
    return {
        "format": "onnx",
        "kind": f"opset {OPSET}, float32",
        "files": [_entry(name, entry, graph, model) for name, entry in entries.items()],
        "parity": asdict(parity),
        "refused": [],
        "notes": [
            f"read back with onnxruntime {version('onnxruntime')}: whole texts, pieces and single tokens from the "
            "cache, and a padded batch"
        ],
    }


def _refuse(out: Path) -> None:
    require_new(out)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise BadInput(f'ONNX needs {" and ".join(missing)}, not installed here; pip install "smidgen[onnx]"')


def _generation_config(model: OpenModel) -> dict[str, Any]:
    return generation_config_json(model.tokenizer, model.sampling)


def _metadata(model: OpenModel) -> dict[str, str]:
    """What the file says of itself, so that it can be used without those beside it; lists and objects are JSON."""
    stop_ids = _generation_config(model)["eos_token_id"]
    return {
        "name": model.name,
        "weights_sha256": model.weights_sha256,
        "tokenizer_sha256": model.tokenizer.fingerprint,
        "context_length": str(model.config.context_length),
        "special_token_ids": json.dumps(model.tokenizer.special_ids),
        "stop_token_ids": json.dumps(stop_ids if isinstance(stop_ids, list) else [stop_ids]),
        "design": json.dumps(config_as_dict(model.config)),
    }


def _entry(name: str, entry: dict[str, Any], graph: "ModelProto", model: OpenModel) -> dict[str, Any]:
    if name != MODEL_NAME:
        return {"name": name, **entry}
    weights = sum(parameter.numel() for parameter in model.decoder.parameters())
    return {
        "name": name,
        **entry,
        "types": dict(Counter(_TYPES[tensor.data_type] for tensor in graph.graph.initializer)),
        "bits_per_weight": round(8 * entry["bytes"] / weights, 2),
    }
