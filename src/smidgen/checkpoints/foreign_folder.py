"""What may be read of a Hugging Face folder that others made: data always, its Python code only when asked for."""

import hashlib
import json
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput
from smidgen.records.fingerprint import sha256_of_file


def check_foreign_folder(path: Path, *, remote_code: bool) -> None:
    """Raises ``BadInput`` for a folder that asks for code of its own (unless ``remote_code``), or holds only an
    adapter or only pickles.

    Pickles are refused in any case: unlike a Python file they cannot be read before they run.
    """
    if not remote_code and (name := _asks_for_code(path)):
        raise BadInput(
            f"{path / name} asks for Python code of its own (auto_map), which would run with your rights; nothing "
            "of it was run: read that code first, and give --trust-remote-code if you trust it"
        )
    # transformers would load whatever model the adapter names instead.
    if (path / "adapter_config.json").is_file():
        raise BadInput(f"{path} holds an adapter, not a model; merge it into its model and give that folder")
    if not weight_files(path):
        raise BadInput(
            f"{path} holds no weights as safetensors; pickles (pytorch_model.bin) can run code when they are read "
            "and are never opened: convert them to model.safetensors"
        )


def weight_files(path: Path) -> list[Path]:
    """The weights as transformers names them, whole or in parts."""
    whole = path / "model.safetensors"
    return [whole] if whole.is_file() else sorted(path.glob("model-*-of-*.safetensors"))


def weights_sha256(path: Path) -> str:
    """The hash of the weights; of weights in parts, the hash of the parts' hashes in order."""
    digests = [sha256_of_file(file) for file in weight_files(path)]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _asks_for_code(path: Path) -> str:
    """The file that names code for transformers to import, else nothing."""
    # The name of another settings file, such as config.4.0.0.json, can stand in config.json.
    for file in sorted(path.glob("*config*.json")):
        try:
            values = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(f"{file} cannot be read as JSON: {error}") from error
        if _holds_auto_map(values):
            return file.name
    return ""


def _holds_auto_map(values: Any) -> bool:
    if isinstance(values, dict):
        return "auto_map" in values or any(map(_holds_auto_map, values.values()))
    return isinstance(values, list) and any(map(_holds_auto_map, values))
