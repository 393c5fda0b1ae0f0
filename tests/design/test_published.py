"""Parameters of published systems, exact where their makers state them exactly."""

import pytest

from smidgen.design.config_file import shape_from_config
from smidgen.design.parameters import count_parameters
from smidgen.recipes.loading import load_recipe

LLAMA = {"model_type": "llama", "tie_word_embeddings": True}
GPT_S2 = {
    **LLAMA,
    "vocab_size": 4096,
    "hidden_size": 192,
    "num_hidden_layers": 9,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "intermediate_size": 672,
    # Layers 5 and 9, counted from 1.
    "refresh_gate_layers": [4, 8],
}
BANANA_MIND_2_MICRO = {
    **LLAMA,
    "vocab_size": 2048,
    "hidden_size": 128,
    "num_hidden_layers": 9,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 512,
    "qk_norm": True,
    "refresh_gate_layers": list(range(9)),
}
SLM_10M = {
    **LLAMA,
    "vocab_size": 8192,
    "hidden_size": 256,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 640,
    "qk_norm": True,
}


@pytest.mark.parametrize(
    ("values", "parameters"), [(GPT_S2, 5_384_258), (BANANA_MIND_2_MICRO, 2_933_193), (SLM_10M, 9_968_640)]
)
def test_variants_of_llama_hold_what_is_published(values, parameters):
    assert count_parameters(shape_from_config(values, origin="card")).total == parameters


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("atomixs2-5m", 5_983_040),
        ("atom-3.4m", 3_412_800),
        ("gpt-s-5m", 5_158_464),
        ("atom-2.7m", 2_738_880),
        ("ant-5m", 4_730_240),
    ],
)
def test_recipes_hold_what_is_published(name, parameters):
    assert count_parameters(load_recipe(name).design).total == parameters


def test_ant_with_biases_is_the_other_reading_of_its_card():
    overrides = ["design.intermediate_size=512", "design.attention_bias=true", "design.mlp_bias=true"]
    assert count_parameters(load_recipe("ant-5m", overrides=overrides).design).total == 4_729_536


@pytest.mark.parametrize(
    "changes",
    [
        ["design.hidden_size=320", "design.intermediate_size=992", "design.num_kv_heads=2"],
        ["design.hidden_size=288", "design.intermediate_size=1216", "design.num_kv_heads=1", "design.head_dim=36"],
    ],
)
def test_the_other_readings_of_atomixs2_have_5_98_million_too(changes):
    assert round(count_parameters(load_recipe("atomixs2-5m", overrides=changes).design).total / 1e6, 2) == 5.98
