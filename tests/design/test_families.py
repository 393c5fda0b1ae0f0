"""Counts of models of others, against those that transformers builds from the same config.json."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from smidgen.design.config_file import shape_from_config
from smidgen.design.families import FAMILIES
from smidgen.design.parameters import count_parameters

# Sizes that cannot coincide.
SIZES = {
    "vocab_size": 301,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "intermediate_size": 50,
    "max_position_embeddings": 41,
}
GPT2_SIZES = {"vocab_size": 301, "n_embd": 24, "n_layer": 3, "n_head": 6, "n_positions": 41}
# Within the vocabulary, which transformers asks for.
IDS = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
CASES = [
    ("llama", {}),
    ("llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
    ("llama", {"head_dim": 10}),
    ("mistral", {}),
    ("mistral", {"head_dim": 10}),
    ("qwen2", {}),
    ("qwen2", {"tie_word_embeddings": True}),
    ("qwen3", {"head_dim": 10}),
    ("qwen3", {"head_dim": 10, "attention_bias": True}),
    ("gemma", {"head_dim": 10}),
    ("gemma2", {"head_dim": 10}),
    ("olmo2", {}),
    ("gpt2", {}),
    ("gpt2", {"n_inner": 70, "tie_word_embeddings": False}),
    ("gpt_neox", {}),
    ("gpt_neox", {"attention_bias": False, "tie_word_embeddings": True, "use_parallel_residual": False}),
]


def built(model_type, **settings):
    """The configuration as written to config.json, and the parameters of the model, by name."""
    config = AutoConfig.for_model(model_type, **settings)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    return config.to_dict(), {name: value.numel() for name, value in model.named_parameters()}


def sizes_of(model_type):
    return GPT2_SIZES if model_type == "gpt2" else SIZES


@pytest.mark.parametrize(("model_type", "changes"), CASES)
def test_counts_equal_those_of_the_model_that_transformers_builds(model_type, changes):
    values, parameters = built(model_type, **sizes_of(model_type), **IDS, **changes)
    assert count_parameters(shape_from_config(values, origin="x")).total == sum(parameters.values())


@pytest.mark.parametrize("model_type", sorted(FAMILIES))
def test_absent_keys_mean_what_transformers_means_by_them(model_type):
    sizes = {key: value for key, value in sizes_of(model_type).items() if key != "num_key_value_heads"}
    if "num_kv_heads" in FAMILIES[model_type].defaults:
        sizes |= {"num_attention_heads": 32, "hidden_size": 64}  # a multiple of its own number of key-value heads
    values, parameters = built(model_type, **sizes, **IDS)
    written = {"model_type": model_type, **sizes}
    assert count_parameters(shape_from_config(written, origin="x")).total == sum(parameters.values())
    assert shape_from_config(written, origin="x") == shape_from_config(values, origin="x")


def test_every_family_is_held_against_transformers():
    assert {model_type for model_type, _ in CASES} == set(FAMILIES)


def test_parts_of_qwen3_are_where_they_belong():
    values, parameters = built("qwen3", **SIZES, **IDS, head_dim=10, attention_bias=True)
    counts = count_parameters(shape_from_config(values, origin="x"))

    def held(*words):
        return sum(number for name, number in parameters.items() if any(word in name for word in words))

    assert counts.embedding == held("embed_tokens", "lm_head")
    assert counts.norms == held("norm")
    assert counts.biases == held("bias")
    assert counts.attention == held("q_proj.weight", "k_proj.weight", "v_proj.weight", "o_proj.weight")
    assert counts.feed_forward == held("mlp")


@pytest.mark.parametrize(
    ("layers", "hidden", "heads", "without_tables"),
    [(6, 128, 4, 1_189_888), (6, 256, 8, 4_739_072), (6, 512, 8, 18_915_328)],
)
def test_pythia_has_what_its_cards_say(layers, hidden, heads, without_tables):
    values = {
        "model_type": "gpt_neox",
        "vocab_size": 50_304,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * hidden,
    }
    counts = count_parameters(shape_from_config(values, origin="pythia"))
    assert counts.total - counts.embedding == without_tables
