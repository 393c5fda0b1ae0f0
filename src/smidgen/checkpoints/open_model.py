"""Opening a MODEL: a run folder, a Hugging Face folder or a GGUF file. Only data is read; code when asked for."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from smidgen.checkpoints.checkpoint import Checkpoint, require_checkpoint, step_of, valid_checkpoint
from smidgen.checkpoints.foreign_folder import check_foreign_folder, weights_sha256
from smidgen.checkpoints.foreign_model import load_foreign_decoder, require_known_architecture
from smidgen.checkpoints.foreign_tokenizer import ForeignStreamingDecoder, ForeignTokenizer
from smidgen.checkpoints.gguf.container import read_gguf
from smidgen.checkpoints.gguf.llama import config_of, weights_of
from smidgen.checkpoints.gguf.vocabulary import tokenizer_of
from smidgen.checkpoints.shipped import shipped_model, shipped_models
from smidgen.design.llama_config import from_llama_config
from smidgen.errors import BadInput
from smidgen.model.config import DigitTokenIds, ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.recipes.loading import recipe_from_dict
from smidgen.recipes.sampling import SamplingSettings
from smidgen.recipes.trained_equations import TrainedEquations, trained_equations
from smidgen.records import manifest
from smidgen.records.fingerprint import sha256_of_file
from smidgen.records.run_folder import RunFolder
from smidgen.tokenization import folder as tokenizer_folder
from smidgen.tokenization.tokenizer import StreamingDecoder, Tokenizer

# Beside an export, what is known of its making.
PROVENANCE = "smidgen_provenance.json"
# The key of config.json under which exports with remote code keep our own settings.
SMIDGEN_KEY = "smidgen"


@dataclass(frozen=True)
class OpenModel:
    """A decoder in evaluation mode with its tokenizer.

    ``weights_sha256`` names the weights for records, ``sampling`` is how its makers recommend to sample, and
    ``max_length`` the longest sequence to score where that is not the design's context. Of a run and of what is
    exported from it ``recipe_sha256``, ``license`` (empty where not stated), ``training_tokens``, the recipe's
    ``prompts`` and the ``equations`` that the model was trained on are known. A model of others may have a
    ``ForeignDecoder`` and a ``ForeignTokenizer``, which have what scoring and generation use of ours.
    """

    name: str
    path: Path
    decoder: Decoder
    tokenizer: Tokenizer
    weights_sha256: str
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    max_length: int | None = None
    notices: tuple[str, ...] = ()
    recipe_sha256: str = ""
    license: str = ""
    training_tokens: int | None = None
    prompts: tuple[str, ...] = ()
    equations: tuple[TrainedEquations, ...] = ()

    @property
    def config(self) -> ModelConfig:
        return self.decoder.config

    @property
    def is_foreign(self) -> bool:
        """Whether others made it, with a tokenizer that only transformers reads."""
        return isinstance(self.tokenizer, ForeignTokenizer)

    def streaming_decoder(self) -> StreamingDecoder | ForeignStreamingDecoder:
        """The tokenizer's ``decode`` for tokens that arrive one by one."""
        if isinstance(self.tokenizer, ForeignTokenizer):
            return ForeignStreamingDecoder(self.tokenizer)
        return StreamingDecoder(self.tokenizer)


def open_model(path: Path, *, remote_code: bool = False) -> OpenModel:
    """Open a run folder (its newest valid checkpoint), one of its checkpoints, a Hugging Face folder or a GGUF file.

    Of a checkpoint the averaged weights are opened where it has them. Where nothing lies at ``path``, it may be the
    name of a model that comes with Smidgen.

    Folders that others made are read by transformers. Python code in them runs with ``remote_code`` only, and never
    that of our own exports. Raises ``BadInput``.
    """
    if path.suffix == ".gguf" and path.is_file():
        return _open_gguf(path)
    if not path.exists():
        path = shipped_model(str(path)) or path
    if not path.is_dir():
        names = ", ".join(shipped_models()) or "none"
        raise BadInput(
            f"{path}: no such folder; give a run folder, a Hugging Face folder, a .gguf file, or the name of a model "
            f"that comes with Smidgen ({names})"
        )
    if RunFolder(path).exists:
        return _open_run(RunFolder(path), *require_checkpoint(RunFolder(path).checkpoints))
    if (step := step_of(path)) is not None and (run := RunFolder(path.resolve().parent.parent)).exists:
        if (chosen := valid_checkpoint(run.checkpoints, step)) is None:
            raise BadInput(f"{path} is damaged; give another checkpoint, or the run folder for its newest valid one")
        return _open_run(run, chosen, [])
    if (path / "config.json").is_file():
        return _open_hugging_face(path, remote_code=remote_code)
    raise BadInput(f"{path} holds neither recipe.json (a run) nor config.json (a Hugging Face model)")


def config_from_dict(values: dict[str, Any]) -> ModelConfig:
    """Rebuild settings from their plain form, as saved in checkpoints and exports."""
    stored: dict[str, Any] | None = values.get("digit_token_ids")
    if stored is None:
        return ModelConfig(**values)
    # JSON has no tuples.
    ids: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()}
    return ModelConfig(**{**values, "digit_token_ids": DigitTokenIds(**ids)})


def config_as_dict(config: ModelConfig) -> dict[str, Any]:
    """Plain data that ``config_from_dict`` reads back."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    ids = values["digit_token_ids"]
    # They came later; what is written of models without them stays as it was.
    if ids is not None and not ids["closing"]:
        del ids["closing"]
    return values


def build_decoder(config: ModelConfig, tensors: dict[str, Tensor], *, origin: str) -> Decoder:
    """A decoder in evaluation mode with these weights. Raises ``BadInput`` when names or shapes disagree."""
    with torch.device("meta"):
        names = Decoder(config).state_dict()
    wrong = [name for name in names if name not in tensors or tensors[name].shape != names[name].shape]
    unknown = [name for name in tensors if name not in names]
    if wrong or unknown:
        raise BadInput(f"{origin}: weights do not fit the design ({(wrong + unknown)[0]} and others disagree)")
    decoder = Decoder(config)
    decoder.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return decoder.eval()


def _open_run(run: RunFolder, checkpoint: Checkpoint, notices: list[str]) -> OpenModel:
    recipe = recipe_from_dict(run.stored_recipe(), origin=str(run.recipe))
    config = config_from_dict(checkpoint.state["config"])
    decoder = build_decoder(config, load_file(checkpoint.weights_path), origin=str(checkpoint.path))
    tokenizer = Tokenizer.open(run.tokenizer)
    _require_match(run.tokenizer, tokenizer.vocab_size, config.vocab_size)
    digest = sha256_of_file(checkpoint.weights_path)
    return OpenModel(
        name=recipe.name,
        path=run.path,
        decoder=decoder,
        tokenizer=tokenizer,
        weights_sha256=digest,
        sampling=recipe.sampling,
        max_length=recipe.evaluation.max_length,
        notices=tuple(notices),
        recipe_sha256=recipe.fingerprint,
        license=recipe.published.license,
        training_tokens=checkpoint.state.get("tokens"),
        prompts=recipe.prompts,
        equations=trained_equations(recipe),
    )


def _open_gguf(path: Path) -> OpenModel:
    file = read_gguf(path)
    config = config_of(file)
    tokenizer = tokenizer_of(file)
    _require_match(path, tokenizer.vocab_size, config.vocab_size)
    return OpenModel(
        name=path.stem,
        path=path,
        decoder=build_decoder(config, weights_of(file, config), origin=str(path)),
        tokenizer=cast(Tokenizer, tokenizer),
        weights_sha256=sha256_of_file(path),
    )


def _open_hugging_face(path: Path, *, remote_code: bool) -> OpenModel:
    origin = str(path / "config.json")
    try:
        values = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{origin} is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise BadInput(f"{origin} must hold one JSON object")
    if (path / manifest.FILES_NAME).is_file() and (problems := manifest.damage(path)):
        raise BadInput(f"{path} is damaged: {problems[0]}; export it again")
    tokenizer: Tokenizer | ForeignTokenizer
    if _is_own(path, values):
        decoder = _llama_like(path, values)
        tokenizer = Tokenizer.open(path)
    else:
        check_foreign_folder(path, remote_code=remote_code)
        require_known_architecture(path, values)
        tokenizer = ForeignTokenizer.open(path, remote_code=remote_code)
        decoder = _foreign_decoder(path, values, tokenizer, remote_code)
    _require_match(path, tokenizer.vocab_size, decoder.config.vocab_size)
    return OpenModel(
        name=path.resolve().name,
        path=path,
        decoder=decoder,
        tokenizer=cast(Tokenizer, tokenizer),
        weights_sha256=weights_sha256(path),
        sampling=_recommended(path / "generation_config.json"),
        **_provenance(path / PROVENANCE),
    )


def _is_own(path: Path, values: dict[str, Any]) -> bool:
    """Whether it is an export of ours, which our own readers know without running code in it."""
    has_tokenizer = (path / tokenizer_folder.SMIDGEN_NAME).is_file()
    return SMIDGEN_KEY in values or (has_tokenizer and values.get("model_type") == "llama")


def _llama_like(path: Path, values: dict[str, Any]) -> Decoder:
    origin = str(path / "config.json")
    config = _own_config(values, origin) or from_llama_config(values, origin=origin)
    tensors = _read_weights(path / "model.safetensors")
    named = {name.removeprefix("model."): tensor for name, tensor in tensors.items()}
    if config.tie_embeddings:
        named.pop("lm_head.weight", None)
    return build_decoder(config, named, origin=str(path))


def _foreign_decoder(path: Path, values: dict[str, Any], tokenizer: ForeignTokenizer, remote_code: bool) -> Decoder:
    """Our own decoder where the model is a plain Llama, because it is faster; else that of transformers."""
    if "auto_map" not in values:
        with suppress(BadInput):
            return _llama_like(path, values)
    return cast(Decoder, load_foreign_decoder(path, tokenizer, remote_code=remote_code))


def _own_config(values: dict[str, Any], origin: str) -> ModelConfig | None:
    if SMIDGEN_KEY not in values:
        return None
    try:
        return config_from_dict(values[SMIDGEN_KEY])
    except (TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{origin} describes no model that can be built: {error}") from error


def _recommended(path: Path) -> SamplingSettings:
    """What ``generation_config.json`` recommends, as far as we know its keys; the defaults where it is unusable."""
    values = manifest.read_record(path)
    known = {setting.name: values[setting.name] for setting in fields(SamplingSettings) if setting.name in values}
    try:
        settings = SamplingSettings(**known)
    except (TypeError, ValueError):
        return SamplingSettings()
    return settings if values.get("do_sample") else replace(settings, temperature=0.0)


def _provenance(path: Path) -> dict[str, Any]:
    """What an export of ours says of its making, as fields of ``OpenModel``; nothing where it is unusable."""
    values = manifest.read_record(path)
    try:
        return {
            "recipe_sha256": str(values["recipe_sha256"]),
            "license": str(values["license"]),
            "training_tokens": values["training_tokens"],
            "prompts": tuple(map(str, values["prompts"])),
            "equations": tuple(
                TrainedEquations(**{**each, "operators": tuple(each["operators"])}) for each in values["equations"]
            ),
        }
    except (KeyError, TypeError):
        return {}


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{path} cannot be read as safetensors: {error}") from error


def _require_match(folder: Path, entries: int, embedded: int) -> None:
    if entries > embedded:
        raise BadInput(
            f"{folder}: the tokenizer has {entries} entries but the model embeds {embedded}; "
            "they do not belong together"
        )
