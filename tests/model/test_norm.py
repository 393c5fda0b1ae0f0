import pytest
import torch
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from smidgen.model.norm import RMSNorm

from .small_models import random_tensor, randomise


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_norm_equals_llamas_to_the_bit(dtype):
    ours, theirs = RMSNorm(7, 1e-5).to(dtype), LlamaRMSNorm(7, 1e-5).to(dtype)
    randomise(ours, seed=1)
    theirs.load_state_dict(ours.state_dict())
    x_BTC = random_tensor(2, 5, 7, dtype=dtype) * 3
    assert torch.equal(ours(x_BTC), theirs(x_BTC))
    assert ours(x_BTC).dtype == dtype


def test_a_token_has_unit_root_mean_square_whatever_its_size():
    x_BTC = random_tensor(2, 5, 7) * torch.tensor([0.1, 1.0, 10.0, 1e3, 1e6])[:, None]
    rms_BT = RMSNorm(7, 1e-12)(x_BTC).square().mean(dim=-1).sqrt()
    torch.testing.assert_close(rms_BT, torch.ones(2, 5))


def test_a_token_of_zeros_stays_zero_with_a_finite_gradient():
    x_BTC = torch.zeros(2, 3, 7, requires_grad=True)
    y_BTC = RMSNorm(7, 1e-5)(x_BTC)
    y_BTC.sum().backward()
    assert torch.equal(y_BTC, torch.zeros_like(y_BTC))
    assert x_BTC.grad.isfinite().all()


def test_large_bfloat16_values_do_not_overflow():
    # The square of 1e30 is beyond bfloat16 and float32 alike; of 1e18 it is not.
    assert RMSNorm(7, 1e-5)(torch.full((1, 1, 7), 1e18, dtype=torch.bfloat16)).isfinite().all()
