"""What a GGUF file says of the model and its tokenizer beside the weights."""

import json
from dataclasses import asdict
from typing import Any

from gguf import GGUFWriter, TokenType

from smidgen.checkpoints.gguf.keys import TOKENIZER_KEY
from smidgen.checkpoints.open_model import OpenModel
from smidgen.design.gguf.file_types import FILE_TYPES
from smidgen.model.config import ModelConfig
from smidgen.tokenization.llama_cpp import pre_tokenizer_name
from smidgen.tokenization.tokenizer import Tokenizer

# ggml.h: the layout of quantised blocks that llama.cpp reads today.
QUANTIZATION_VERSION = 2


def add_metadata(writer: GGUFWriter, model: OpenModel, file_type: str) -> None:
    """Everything that ``convert_hf_to_gguf.py`` states for a Llama, and where the model comes from."""
    _add_origin(writer, model)
    writer.add_file_type(FILE_TYPES[file_type].number)
    writer.add_quantization_version(QUANTIZATION_VERSION)
    _add_shape(writer, model.config)
    _add_tokenizer(writer, model.tokenizer, entries=model.config.vocab_size)


def _add_origin(writer: GGUFWriter, model: OpenModel) -> None:
    writer.add_type("model")
    writer.add_name(model.name)
    if model.license:
        writer.add_license(model.license)
    writer.add_string("smidgen.weights_sha256", model.weights_sha256)
    if model.recipe_sha256:
        writer.add_string("smidgen.recipe_sha256", model.recipe_sha256)
    if model.training_tokens is not None:
        writer.add_uint64("smidgen.training_tokens", model.training_tokens)


def _add_shape(writer: GGUFWriter, config: ModelConfig) -> None:
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.context_length)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_heads)
    writer.add_head_count_kv(config.num_kv_heads)
    # Without these llama.cpp takes hidden size / heads.
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def _add_tokenizer(writer: GGUFWriter, tokenizer: Tokenizer, *, entries: int) -> None:
    definition = tokenizer.definition
    name = pre_tokenizer_name(definition.splits, definition.rules)
    assert name is not None, "what no name expresses is refused before anything is written"
    control = len(definition.special_tokens.present)
    missing = entries - len(definition.tokens)
    kinds = [
        *[TokenType.CONTROL] * control,
        *[TokenType.NORMAL] * (len(definition.tokens) - control),
        *[TokenType.UNUSED] * missing,
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(name)
    # llama.cpp takes the number of entries from this list, so rows of the embedding without a token need names.
    writer.add_token_list([*definition.tokens, *_unused(definition.tokens, missing)])
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(merge) for merge in definition.merges])
    for key, token_id in special_token_ids(tokenizer).items():
        writer.add_uint32(f"tokenizer.ggml.{key}_token_id", token_id)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_string(TOKENIZER_KEY, json.dumps(_own_words(tokenizer), sort_keys=True))


def special_token_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """llama.cpp's name of a role -> id; the end of a text begins, ends and pads where nothing else does."""
    ids, end_of_text = tokenizer.special_ids, tokenizer.end_of_text_id
    roles = {
        "bos": ids.get("bos", end_of_text),
        "eos": ids.get("eos", end_of_text),
        # Either ends a text, as the training stream separates documents by end_of_text.
        "eot": end_of_text,
        "padding": ids.get("pad", end_of_text),
    }
    return {**roles, "unknown": ids["unk"]} if "unk" in ids else roles


def _unused(tokens: tuple[str, ...], count: int) -> list[str]:
    taken = set(tokens)
    names = (name for number in range(len(taken) + count) if (name := f"[UNUSED{number}]") not in taken)
    return [next(names) for _ in range(count)]


def _own_words(tokenizer: Tokenizer) -> dict[str, Any]:
    """What our own reader needs to make the same tokenizer again."""
    special = asdict(tokenizer.definition.special_tokens)
    return {"special_tokens": special, "fingerprint": tokenizer.fingerprint}
