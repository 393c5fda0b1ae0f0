import math

import pytest
import torch

from smidgen.model.feed_forward import FeedForward

from .small_models import random_tensor, randomise, small_config


def swiglu(weights, x):
    """One token in plain Python."""

    def linear(name, x):
        weight, bias = weights[f"{name}.weight"], weights.get(f"{name}.bias")
        rows = [sum(w * c for w, c in zip(row, x, strict=True)) for row in weight.tolist()]
        return [row + (bias[i].item() if bias is not None else 0.0) for i, row in enumerate(rows)]

    gate, up = linear("gate_proj", x), linear("up_proj", x)
    return linear("down_proj", [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up, strict=True)])


@pytest.mark.parametrize("bias", [False, True])
def test_the_layer_is_swiglu(bias):
    layer = FeedForward(small_config(hidden_size=6, intermediate_size=7, mlp_bias=bias))
    randomise(layer, seed=3)
    x_BTC = random_tensor(2, 3, 6)
    expected_BTC = torch.tensor([[swiglu(layer.state_dict(), x) for x in row] for row in x_BTC.tolist()])
    torch.testing.assert_close(layer(x_BTC), expected_BTC, atol=1e-5, rtol=0)
    assert len(layer.state_dict()) == (6 if bias else 3)


def test_each_token_is_transformed_by_itself():
    layer = FeedForward(small_config())
    randomise(layer, seed=3)
    x_BTC = random_tensor(2, 5, 30)
    changed_BTC = x_BTC.clone()
    changed_BTC[:, 2] += 1
    same_T = (layer(x_BTC) == layer(changed_BTC)).all(dim=-1).all(dim=0)
    assert same_T.tolist() == [True, True, False, True, True]
