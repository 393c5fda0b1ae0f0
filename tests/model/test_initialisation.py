import math

import pytest
import torch

from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise

from .small_models import DIGITS, small_config

ALL_PARTS = {"attention_bias": True, "mlp_bias": True, "tie_embeddings": False, "xsa": True, **DIGITS}


def initialised(seed, **changes):
    decoder = Decoder(small_config(**changes))
    initialise(decoder, seed)
    return decoder.state_dict()


def same(a, b):
    return {name: torch.equal(a[name], b[name]) for name in a}


def test_weights_depend_on_the_seed_and_on_nothing_else():
    first = initialised(seed=3, **ALL_PARTS)
    torch.manual_seed(99)
    assert all(same(first, initialised(seed=3, **ALL_PARTS)).values())


def test_weights_are_drawn_anew_whatever_they_were():
    decoder = Decoder(small_config(**ALL_PARTS))
    for parameter in decoder.parameters():
        torch.nn.init.constant_(parameter, 7.0)
    initialise(decoder, seed=3)
    assert all(same(decoder.state_dict(), initialised(seed=3, **ALL_PARTS)).values())


def test_another_seed_changes_every_matrix_and_no_bias_or_norm():
    changed = {
        n
        for n, equal in same(initialised(seed=3, **ALL_PARTS), initialised(seed=4, **ALL_PARTS)).items()
        if not equal
    }
    constant = {name for name in initialised(seed=3, **ALL_PARTS) if name.endswith("bias") or "norm" in name}
    assert changed == set(initialised(seed=3, **ALL_PARTS)) - constant


def test_the_global_random_state_is_left_alone():
    decoder = Decoder(small_config())
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    initialise(decoder, seed=3)
    assert torch.equal(torch.rand(3), expected)


def test_norms_are_one_and_biases_zero():
    for name, weight in initialised(seed=3, **ALL_PARTS).items():
        if name.endswith("bias"):
            assert not weight.any(), name
        elif "norm" in name:
            assert (weight == 1).all(), name


@pytest.mark.parametrize("num_layers", [1, 5])
def test_what_writes_into_the_residual_stream_is_scaled_down_by_depth(num_layers):
    wide = {"hidden_size": 120, "intermediate_size": 140, "num_heads": 15, "vocab_size": 500}
    weights = initialised(seed=3, **{**ALL_PARTS, **wide}, num_layers=num_layers, initializer_range=0.05)
    for name, weight in weights.items():
        if weight.ndim == 1:
            continue
        writes = "o_proj" in name or "down_proj" in name
        std = 0.05 / math.sqrt(2 * num_layers) if writes else 0.05
        # Five standard errors of a standard deviation.
        assert weight.std().item() == pytest.approx(std, rel=5 / math.sqrt(2 * weight.numel())), name
        assert abs(weight.mean().item()) < 5 * std / math.sqrt(weight.numel()), name


def test_a_fresh_model_predicts_all_tokens_almost_alike():
    decoder = Decoder(small_config(**DIGITS, xsa=True))
    initialise(decoder, seed=3)
    log_probabilities_BTV = decoder(torch.arange(14).view(2, 7)).log_softmax(dim=-1)
    assert (log_probabilities_BTV + math.log(29)).abs().max() < 0.5
