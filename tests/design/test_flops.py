"""Operations per token, against those that torch counts on the real model."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from smidgen.design.flops import flops_by_part, flops_per_token, needed_training_flops
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.recipes.loading import load_recipe, shipped_names

SHAPE = {
    "vocab_size": 300,
    "hidden_size": 24,
    "num_layers": 3,
    "num_heads": 6,
    "num_kv_heads": 2,
    "intermediate_size": 50,
    "context_length": 16,
}
OPTIONS = [
    {},
    {"xsa": True},
    {"head_dim": 10},
    {"tie_embeddings": False, "attention_bias": True, "mlp_bias": True},
    {"num_kv_heads": 6, "place_vocab_size": 66, "role_vocab_size": 12},
]


def counted(config, *, backward):
    """Operations of one token by torch's counter, whose table has the products of attention only written out."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        logits_BTV = Decoder(config)(torch.zeros(2, config.context_length, dtype=torch.long))
        if backward:
            logits_BTV.sum().backward()
    return counter.get_total_flops() / (2 * config.context_length)


@pytest.mark.parametrize("options", OPTIONS)
def test_operations_equal_those_that_torch_counts(options):
    config = ModelConfig(**{**SHAPE, **options})
    assert flops_per_token(config)["forward"] == counted(config, backward=False)
    assert flops_per_token(config)["training"] == counted(config, backward=True)


@pytest.mark.parametrize("name", shipped_names())
def test_parts_sum_to_the_whole(name):
    design = load_recipe(name).design
    for direction, parts in flops_by_part(design).items():
        assert sum(parts.values()) == flops_per_token(design)[direction]
        assert parts["embedding"] == 0
        assert parts["head"] > 0


def test_each_part_is_what_torch_counts_for_its_modules():
    config = ModelConfig(**SHAPE)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        Decoder(config)(torch.zeros(1, config.context_length, dtype=torch.long))
    by_module = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}
    tokens, parts = config.context_length, flops_by_part(config)["forward"]

    def of_layers(word):
        return sum(count for name, count in by_module.items() if name.endswith(word)) / tokens

    projections = sum(of_layers(name) for name in ("q_proj", "k_proj", "v_proj", "o_proj"))
    assert parts["attention_projections"] == projections
    assert parts["attention_scores"] == of_layers("self_attn") - projections
    assert parts["feed_forward"] == of_layers("mlp")


def test_a_causal_kernel_needs_the_pairs_of_the_triangle():
    config = ModelConfig(**SHAPE)
    T = config.context_length
    pairs = T * (T + 1) / 2
    scores = 3 * 4 * config.num_layers * config.num_heads * config.head_dim * pairs / T
    products = flops_per_token(config)["training"] - flops_by_part(config)["training"]["attention_scores"]
    assert needed_training_flops(config) == products + scores


def test_training_on_gpt_s_5m_needs_what_was_measured_elsewhere():
    assert needed_training_flops(load_recipe("gpt-s-5m").design) == pytest.approx(36.24e6, rel=0.001)
