"""The config.json of others: what is read, and what is refused in words."""

import json
from dataclasses import asdict

import pytest

from smidgen.design.config_file import read_shape, shape_from_config
from smidgen.design.shape import shape_of
from smidgen.design.tokenizer_file import entries_beside
from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe

GOOD = {
    "model_type": "llama",
    "vocab_size": 1000,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 100,
}


def test_a_file_is_read(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(GOOD))
    shape = read_shape(str(path))
    assert (shape.vocab_size, shape.num_kv_heads, shape.head_dim, shape.tied) == (1000, 4, 16, False)


@pytest.mark.parametrize(
    ("content", "message"), [("{", "not valid JSON"), ("[]", "one JSON object"), ("[" * 100_000, "not valid JSON")]
)
def test_a_broken_file_is_named(tmp_path, content, message):
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=message):
        read_shape(str(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mamba"}, "model_type 'mamba'; known are llama, mistral, qwen2, qwen3"),
        ({"model_type": None}, "model_type None; known are"),
        ({"model_type": ["llama"]}, "known are"),
        ({"vocab_size": None}, "lacks vocab_size, which a model_type 'llama' needs"),
        ({"vocab_size": 0}, "vocab_size=0 must be at least 1"),
        ({"num_hidden_layers": -3}, "num_hidden_layers=-3 must be at least 1"),
        ({"hidden_size": "many"}, "hidden_size='many' must be a whole number"),
        ({"hidden_size": 64.5}, "hidden_size=64.5 must be a whole number"),
        ({"hidden_size": True}, "hidden_size=True must be a whole number"),
        ({"num_key_value_heads": 0}, "num_key_value_heads=0 must be at least 1"),
        ({"num_attention_heads": 7}, "hidden_size=64 must be a multiple of num_attention_heads=7; 63 would work"),
        ({"num_key_value_heads": 3}, "num_attention_heads=4 must be a multiple of num_key_value_heads=3; 3 would"),
        ({"hidden_size": 10**9, "head_dim": 10**9}, "parameters, more than any model has; check its sizes, of which"),
        ({"vocab_size": 10**18}, "6.4e.19|1.3e.20"),
        ({"num_hidden_layers": 10**9}, "1000000000 layers, more than any model"),
        ({"rope_theta": "x"}, "rope_theta='x' must be a number above 1"),
        ({"rope_theta": 0}, "rope_theta=0 must be a number above 1"),
        ({"refresh_gate_layers": 3}, "refresh_gate_layers=3 must list layers from 0 to 1"),
        ({"refresh_gate_layers": [5]}, "must list layers from 0 to 1"),
        ({"model_type": "gpt_neox", "rotary_pct": 7}, "rotary_pct=7 must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(change, message):
    with pytest.raises(BadInput, match=message) as refused:
        shape_from_config({**GOOD, **change}, origin="config.json")
    assert "\n" not in str(refused.value)


def test_all_missing_keys_are_named():
    with pytest.raises(BadInput, match=r"lacks vocab_size, hidden_size, num_hidden_layers, .*, intermediate_size"):
        shape_from_config({"model_type": "llama"}, origin="config.json")
    with pytest.raises(BadInput, match="lacks vocab_size, n_embd, n_layer, n_head, which"):
        shape_from_config({"model_type": "gpt2"}, origin="config.json")


@pytest.mark.parametrize(
    ("values", "theta"),
    [
        ({}, 10_000),
        ({"rope_theta": 500}, 500),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 700.0}}, 700),
        ({"model_type": "gpt_neox", "rotary_emb_base": 900}, 900),
        ({"rope_theta": 800.0, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, 800),
    ],
)
def test_theta_is_read_in_the_words_of_all_versions(values, theta):
    assert shape_from_config({**GOOD, **values}, origin="x").rope_theta == theta


def test_a_quarter_of_the_channels_turns_in_gpt_neox():
    shape = shape_from_config({**GOOD, "model_type": "gpt_neox"}, origin="x")
    assert (shape.head_dim, shape.rotary_dim) == (16, 4)


@pytest.mark.parametrize("name", ["gpt-s-5m", "atom-2.7m", "ant-5m"])
def test_our_own_exports_are_read_by_the_settings_they_carry(name):
    design = load_recipe(name).design
    values = {"model_type": "smidgen", "smidgen": json.loads(json.dumps(asdict(design)))}
    assert shape_from_config(values, origin="x") == shape_of(design)


def test_damaged_settings_of_ours_are_refused():
    with pytest.raises(BadInput, match="describes no model"):
        shape_from_config({"smidgen": {"vocab_size": 5}}, origin="x")


def test_ids_are_those_of_the_tokenizer_beside(tmp_path):
    vocabulary = {"a": 0, "b": 1}
    written = {"model": {"vocab": vocabulary}, "added_tokens": [{"id": 4, "content": "<end>"}]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(written))
    assert entries_beside(tmp_path / "config.json") == 5
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": [["a", -1.0], ["b", -2.0]]}}))
    assert entries_beside(tmp_path / "config.json") == 2
    (tmp_path / "tokenizer.json").write_text("{")
    assert entries_beside(tmp_path / "config.json") is None
    assert entries_beside(tmp_path / "elsewhere" / "config.json") is None
