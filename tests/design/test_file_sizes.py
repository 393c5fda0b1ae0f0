"""Sizes of files, against files that are really written."""

import pytest
import torch
from safetensors.torch import save

from smidgen.design.file_sizes import file_sizes, refused_formats
from smidgen.design.gguf.blocks import BLOCKS
from smidgen.design.shape import shape_of
from smidgen.design.tensors import tensors_of
from smidgen.export.hugging_face import _named_tensors
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.recipes.loading import load_recipe, shipped_names

SHAPE = {
    "vocab_size": 300,
    "hidden_size": 24,
    "num_layers": 11,
    "num_heads": 6,
    "num_kv_heads": 2,
    "intermediate_size": 50,
    "context_length": 16,
}
OPTIONS = [
    {},
    {"xsa": True},
    {"tie_embeddings": False, "attention_bias": True, "mlp_bias": True},
    {"tie_embeddings": False, "xsa": True, "qk_norm": True},
    {"place_vocab_size": 66, "role_vocab_size": 12},
]


def size_of(design, name):
    [found] = [file for file in file_sizes(design) if file["format"] == name]
    return found


@pytest.mark.parametrize("options", OPTIONS)
def test_safetensors_have_the_bytes_of_the_exported_file(options):
    config = ModelConfig(**{**SHAPE, **options})
    for name, stored in (("hf float32", torch.float32), ("hf bfloat16", torch.bfloat16)):
        tensors = _named_tensors(Decoder(config), stored)
        assert size_of(config, name)["bytes"] == len(save(tensors, metadata={"format": "pt"}))


@pytest.mark.parametrize("options", OPTIONS)
def test_tensors_have_the_names_and_shapes_of_the_decoder(options):
    config = ModelConfig(**{**SHAPE, **options})
    with torch.device("meta"):
        real = {name: tuple(tensor.shape) for name, tensor in Decoder(config).state_dict().items()}
    assert {name: tensor.shape for tensor in tensors_of(shape_of(config)) for name in tensor.names} == real


def test_only_what_is_written_today_is_said_to_exist():
    states = {file["format"]: (file["status"], file["is_exact"]) for file in file_sizes(load_recipe("ant-5m").design)}
    written = {"hf float32", "hf bfloat16", "onnx float32"} | {
        f"gguf {name}" for name in ("F32", "F16", "BF16", "Q8_0", "Q5_0", "Q4_0")
    }
    assert {name for name, (status, _) in states.items() if status == "exists"} == written
    assert [name for name, (_, is_exact) in states.items() if is_exact] == ["hf float32", "hf bfloat16"]


def test_gguf_types_fall_back_where_rows_are_no_whole_blocks():
    """As llama.cpp did at a width of 192 and of 100 (measured, October 2026)."""
    at_192 = load_recipe("gpt-s-5m", overrides=["design.xsa=false"]).design
    assert size_of(at_192, "gguf Q6_K")["types"].keys() == {"F32", "Q8_0"}
    assert size_of(at_192, "gguf Q4_K_M")["types"].keys() == {"F32", "Q5_0", "Q8_0"}
    assert size_of(at_192, "gguf Q4_K_M")["status"] == "refused"
    assert (
        size_of(at_192, "gguf Q4_K_M")["note"] == "rows are no multiples of 256, so it would really hold Q5_0, Q8_0"
    )
    sizes = ["hidden_size=100", "num_heads=2", "num_kv_heads=2", "head_dim=50", "intermediate_size=300"]
    at_100 = load_recipe("quickstart", overrides=[f"design.{size}" for size in sizes]).design
    assert size_of(at_100, "gguf Q4_K_M")["types"].keys() == {"F32", "F16"}


def test_whole_blocks_get_the_types_that_the_name_promises():
    sizes = ["hidden_size=256", "num_heads=4", "num_kv_heads=4", "intermediate_size=512", "num_layers=8"]
    config = load_recipe("quickstart", overrides=[f"design.{size}" for size in sizes]).design
    found = size_of(config, "gguf Q4_K_M")
    # The head, and the values and last products of layers 0, 3, 6 and 7 of 8.
    assert found["types"] == {"F32": 17, "Q6_K": 9, "Q4_K": 48}
    assert (found["status"], found["note"]) == ("exists", "tensors alone, without names, settings and vocabulary")
    assert 4.5 < found["bits_per_weight"] < 6.6


@pytest.mark.parametrize("name", ["F32", "F16", "Q8_0"])
def test_bytes_of_plain_gguf_types_follow_from_their_blocks(name):
    design = load_recipe("ant-5m", overrides=["design.intermediate_size=512"]).design
    numbers, width = BLOCKS[name]
    matrices = sum(t.copies * t.size for t in tensors_of(shape_of(design)) if len(t.shape) > 1)
    norms = sum(t.copies * t.size for t in tensors_of(shape_of(design)) if len(t.shape) == 1)
    assert size_of(design, f"gguf {name}")["bytes"] == matrices // numbers * width + 4 * norms


@pytest.mark.parametrize("name", shipped_names())
def test_what_gguf_cannot_carry_has_no_size(name):
    design = load_recipe(name).design
    has_gguf = any(file["format"].startswith("gguf") for file in file_sizes(design))
    assert has_gguf == (not refused_formats(design))
    assert has_gguf == (not (design.xsa or design.has_digit_features))
