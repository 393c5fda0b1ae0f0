from dataclasses import replace

import pytest
from transformers import LlamaConfig

from smidgen.design.llama_config import from_llama_config, is_stock_llama, to_llama_config
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


@pytest.mark.parametrize("name", ["ant-5m", "atomixs2-5m", "quickstart"])
def test_a_shape_survives_the_way_through_transformers(name):
    config = load_recipe(name).design
    written = LlamaConfig(**to_llama_config(config)).to_dict()
    assert from_llama_config(written, origin="test") == config


def test_absent_keys_mean_what_transformers_means_by_them():
    ours, theirs = from_llama_config(GOOD, origin="test"), LlamaConfig(**GOOD)
    assert ours.num_kv_heads == theirs.num_key_value_heads
    assert ours.head_dim == theirs.head_dim
    assert ours.context_length == theirs.max_position_embeddings
    assert ours.rms_norm_eps == theirs.rms_norm_eps
    assert ours.tie_embeddings == theirs.tie_word_embeddings
    assert ours.rope_theta == 10_000


def test_theta_is_read_in_the_words_of_both_versions():
    assert from_llama_config({**GOOD, "rope_theta": 500.0}, origin="x").rope_theta == 500
    rope = {"rope_type": "default", "rope_theta": 700.0}
    assert from_llama_config({**GOOD, "rope_parameters": rope}, origin="x").rope_theta == 700


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mamba"}, "model_type 'mamba'"),
        ({"vocab_size": None}, "describes no model"),
        ({"num_attention_heads": 7}, "not a multiple of num_heads=7"),
        ({"hidden_act": "gelu"}, "only 'silu'"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rope_type 'yarn'"),
        ({"hidden_size": "many"}, "describes no model"),
    ],
)
def test_what_is_no_plain_llama_is_refused_in_words(change, message):
    with pytest.raises(BadInput, match=message):
        from_llama_config({**GOOD, **change}, origin="config.json")


def test_missing_keys_are_named():
    with pytest.raises(BadInput, match="lacks vocab_size, hidden_size"):
        from_llama_config({"model_type": "llama"}, origin="config.json")


@pytest.mark.parametrize("option", [{"logit_softcap": 30.0}, {"qk_norm": True}], ids=str)
def test_a_soft_cap_and_norms_of_heads_are_no_stock_llama(option):
    assert not is_stock_llama(replace(load_recipe("ant-5m").design, **option))


def test_xsa_and_features_are_no_stock_llama():
    assert [is_stock_llama(load_recipe(name).design) for name in ("ant-5m", "gpt-s-5m", "atom-2.7m")] == [
        True,
        False,
        False,
    ]
