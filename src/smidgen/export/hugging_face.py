"""A folder that ``transformers`` loads: a stock Llama where the mathematics allows, else with our own code in it."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from smidgen.checkpoints.open_model import PROVENANCE, OpenModel, open_model
from smidgen.design.llama_config import is_stock_llama
from smidgen.errors import BadInput
from smidgen.export import read_back, travelling_code
from smidgen.export.destination import require_new
from smidgen.export.hugging_face_config import config_json, generation_config_json, tokenizer_config_json
from smidgen.model.decoder import Decoder
from smidgen.recipes.sampling import SamplingSettings
from smidgen.records import atomic, manifest
from smidgen.tokenization.text_rules import TextRules

STOCK, REMOTE_CODE = "stock LlamaForCausalLM", "remote code"
# What weights are stored in, by the names that other formats have for the same; the first unless asked.
STORED = {"F32": torch.float32, "BF16": torch.bfloat16}


def export_hugging_face(
    model: OpenModel,
    out: Path,
    *,
    recommended: SamplingSettings | None = None,
    max_length: int | None = None,
    types: Sequence[str] = (),
    check: bool = True,
) -> dict[str, Any]:
    """Write the folder ``out``, have transformers read it back, and say what was written and how well it agrees.

    ``types`` may name one of ``STORED``: BF16 halves the file, the weights are rounded to it, and it is the rounded
    model that transformers must agree with. Either is computed with in float32. ``recommended`` becomes what
    ``generate()`` does by default, ``max_length`` what the tokenizer calls the longest text (the context length if
    not given; evaluation harnesses may need a little more).

    Returns ``{"format", "kind", "files", "parity", "refused", "notes"}``; ``parity`` is None where nothing was
    compared. Raises ``BadInput`` when ``out`` exists, ``CheckFailed`` when transformers disagrees, and
    ``OutOfResources`` when the disk is full. In each case nothing is left behind.
    """
    _refuse(out, max_length)
    stored = _stored_type(types)
    model = _rounded(model, STORED[stored])
    with atomic.atomic_directory(out) as folder:
        _write_model(model, folder, recommended, STORED[stored])
        _write_tokenizer(model, folder, max_length)
        entries = manifest.seal(folder)
        parity, notes = _checked(folder, model) if check else (None, ["not read back, as was asked"])
    return _record(model, entries, parity, [*_rounding_notes(stored), *notes])


def finished_export(model: OpenModel, out: Path, *, types: Sequence[str] = ()) -> dict[str, Any] | None:
    """The record of an export of this very model that lies in ``out`` undamaged, without a new proof, or None.

    Raises ``BadInput`` when the folder is damaged.
    """
    if not (out / manifest.FILES_NAME).is_file():
        return None
    model, found = _rounded(model, STORED[_stored_type(types)]), open_model(out)
    ours, theirs = (one.decoder.state_dict() for one in (model, found))
    same = found.config == model.config and found.tokenizer.fingerprint == model.tokenizer.fingerprint
    if not same or any(not ours[name].cpu().equal(tensor) for name, tensor in theirs.items()):
        return None
    files = manifest.read_record(out / manifest.FILES_NAME)
    return _record(model, files, None, ["written and read back by an earlier call"])


def _refuse(out: Path, max_length: int | None) -> None:
    require_new(out)
    if max_length is not None and max_length < 1:
        raise BadInput(f"max_length={max_length} must be at least 1; the context length is usual")


def _stored_type(types: Sequence[str]) -> str:
    names = [name.upper() for name in types] or list(STORED)[:1]
    if len(names) != 1 or names[0] not in STORED:
        known = ", ".join(STORED)
        raise BadInput(f"--types {','.join(types)}: weights of a Hugging Face folder are stored in one of {known}")
    return names[0]


def _rounded(model: OpenModel, stored: torch.dtype) -> OpenModel:
    """The model with the weights that are left once they have been stored."""
    if stored is torch.float32:
        return model
    decoder = deepcopy(model.decoder)
    decoder.load_state_dict({name: tensor.to(stored) for name, tensor in decoder.state_dict().items()})
    return replace(model, decoder=decoder)


def _rounding_notes(stored: str) -> list[str]:
    if STORED[stored] is torch.float32:
        return []
    return [f"the weights are rounded to {stored}, half the size of float32"]


def _write_model(model: OpenModel, folder: Path, recommended: SamplingSettings | None, stored: torch.dtype) -> None:
    atomic.write_json(folder / "config.json", config_json(model.config, model.tokenizer))
    atomic.write_json(folder / "generation_config.json", generation_config_json(model.tokenizer, recommended))
    # "format" is what transformers 4 asks for. In bytes first, because a full disk is then an OSError.
    weights = save(_named_tensors(model.decoder, stored), metadata={"format": "pt"})
    atomic.write_bytes(folder / "model.safetensors", weights)
    if not is_stock_llama(model.config):
        _write_texts(travelling_code.model_files(), folder)
    if model.recipe_sha256:
        atomic.write_json(folder / PROVENANCE, _provenance(model))


def _provenance(model: OpenModel) -> dict[str, Any]:
    return {
        "recipe_sha256": model.recipe_sha256,
        "license": model.license,
        "training_tokens": model.training_tokens,
        "prompts": list(model.prompts),
        "equations": [asdict(equations) for equations in model.equations],
    }


def _named_tensors(decoder: Decoder, stored: torch.dtype) -> dict[str, Tensor]:
    """The weights by the names of ``LlamaForCausalLM``, which keeps an untied head outside of "model".

    Our own class keeps it inside. A tied head is the embedding and not stored.
    """
    outside = {"lm_head.weight"} if is_stock_llama(decoder.config) else set()
    return {
        name if name in outside else f"model.{name}": tensor.detach().to("cpu", stored).contiguous()
        for name, tensor in decoder.state_dict().items()
    }


def _write_tokenizer(model: OpenModel, folder: Path, max_length: int | None) -> None:
    model.tokenizer.save(folder, context_length=max_length or model.config.context_length)
    if _has_text_rules(model):
        path = folder / "tokenizer_config.json"
        atomic.write_json(path, tokenizer_config_json(path, model.tokenizer))
        _write_texts(travelling_code.tokenizer_files(), folder)


def _write_texts(files: dict[str, str], folder: Path) -> None:
    for name, content in files.items():
        atomic.write_text(folder / name, content)


def _checked(folder: Path, model: OpenModel) -> tuple[dict[str, float] | None, list[str]]:
    version = read_back.transformers_version()
    if version is None:
        return None, ['not read back: transformers is not installed; pip install "smidgen[export]" and export again']
    trust_remote_code = _has_text_rules(model) or not is_stock_llama(model.config)
    parity = read_back.check_hugging_face(folder, model, trust_remote_code=trust_remote_code)
    return asdict(parity), [f"read back with transformers {version}"]


def _record(
    model: OpenModel, entries: dict[str, Any], parity: dict[str, float] | None, notes: list[str]
) -> dict[str, Any]:
    return {
        "format": "hf",
        "kind": STOCK if is_stock_llama(model.config) else REMOTE_CODE,
        "files": [{"name": name, **entry} for name, entry in entries.items()],
        "parity": parity,
        "refused": [],
        "notes": [*_notes(model), *notes],
    }


def _has_text_rules(model: OpenModel) -> bool:
    return model.tokenizer.definition.rules != TextRules()


def _notes(model: OpenModel) -> list[str]:
    if _has_text_rules(model):
        return [
            "the tokenizer needs no remote code: tokenizer.json holds its text rules; with trust_remote_code=True "
            "decoding is faster and never joins digits across a skipped control token"
        ]
    return []
