import pytest
import torch

from smidgen.design.parameters import count_parameters
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.recipes.loading import load_recipe, shipped_names

SHAPE = {
    "vocab_size": 300,
    "hidden_size": 24,
    "num_layers": 3,
    "num_heads": 6,
    "num_kv_heads": 2,
    "head_dim": 10,
    "intermediate_size": 50,
    "context_length": 16,
}
OPTIONS = [
    {},
    {"tie_embeddings": False},
    {"attention_bias": True},
    {"mlp_bias": True},
    {"xsa": True, "qk_norm": True, "place_vocab_size": 66, "role_vocab_size": 12},
    {"attention_bias": True, "mlp_bias": True, "tie_embeddings": False, "num_kv_heads": 6},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_parts_sum_to_what_the_model_really_holds(options):
    config = ModelConfig(**{**SHAPE, **options})
    with torch.device("meta"):
        decoder = Decoder(config)
    assert count_parameters(config).total == sum(parameter.numel() for parameter in decoder.parameters())


@pytest.mark.parametrize("options", OPTIONS)
def test_each_part_is_what_the_model_holds_under_its_names(options):
    config = ModelConfig(**{**SHAPE, **options})
    with torch.device("meta"):
        parameters = dict(Decoder(config).named_parameters())

    def held(*words, bias=False):
        return sum(
            value.numel()
            for name, value in parameters.items()
            if any(word in name for word in words) and name.endswith("bias") == bias
        )

    counts = count_parameters(config)
    assert counts.embedding == held("embed_tokens", "lm_head")
    assert counts.attention == held("q_proj", "k_proj", "v_proj", "o_proj")
    assert counts.feed_forward == held("mlp")
    assert counts.norms == held("norm")
    assert counts.features == held("digit_features")
    assert counts.biases == held("self_attn", "mlp", bias=True)


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_designs_hold_what_is_counted(name):
    config = load_recipe(name).design
    with torch.device("meta"):
        assert count_parameters(config).total == sum(p.numel() for p in Decoder(config).parameters())
