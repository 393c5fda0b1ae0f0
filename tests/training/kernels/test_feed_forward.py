"""The fused feed-forward layer against the layer it stands for."""

import pytest
import torch
import torch.nn.functional as F

from smidgen.native.library import Unavailable
from smidgen.training.kernels import feed_forward as kernel
from smidgen.training.kernels.feed_forward import feed_forward

HIDDEN, INNER = 64, 96


@pytest.fixture(autouse=True)
def compiled():
    try:
        library = kernel.library(HIDDEN, INNER)
    except Unavailable as error:
        pytest.skip(str(error))
    if not library.is_fastest():
        pytest.skip("this processor has no bfloat16 dot products, or something better")


def drawn(tokens, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x_BTC, gradient_BTC = (torch.randn(1, tokens, HIDDEN, generator=generator).bfloat16() for _ in range(2))
    weights = tuple(
        torch.randn(shape, generator=generator) / shape[1] ** 0.5
        for shape in ((INNER, HIDDEN), (INNER, HIDDEN), (HIDDEN, INNER))
    )
    return x_BTC, weights, gradient_BTC


def by_kernel(x_BTC, *weights):
    return feed_forward(x_BTC, *weights)[0]


def by_pytorch(x_BTC, gate_IC, up_IC, down_CI):
    return F.linear(F.silu(F.linear(x_BTC, gate_IC)) * F.linear(x_BTC, up_IC), down_CI)


def in_bfloat16(x_BTC, *weights):
    return by_pytorch(x_BTC, *(weight.bfloat16() for weight in weights))


def results(layer, x_BTC, weights, gradient_BTC):
    """Output and gradients of input, gate, up and down."""
    inputs = [x.clone().requires_grad_() for x in (x_BTC, *weights)]
    out_BTC = layer(*inputs)
    out_BTC.backward(gradient_BTC.to(out_BTC.dtype))
    return [out_BTC.detach().double(), *(x.grad.double() for x in inputs)]


# One tile, a part of a block, several blocks, and more than one chunk with a part of another.
@pytest.mark.parametrize("tokens", [8, 24, 200, 512, 1096])
def test_it_errs_no_more_than_pytorchs_bfloat16(tokens):
    x_BTC, weights, gradient_BTC = drawn(tokens)
    exact = results(by_pytorch, x_BTC.double(), [weight.double() for weight in weights], gradient_BTC)
    stock = results(in_bfloat16, x_BTC, weights, gradient_BTC)
    found = results(by_kernel, x_BTC, weights, gradient_BTC)
    for one, other, truth in zip(found, stock, exact, strict=True):
        assert 0 < (one - truth).norm() <= 1.1 * (other - truth).norm()


def test_threads_change_no_bit():
    arguments = drawn(1096)
    torch.set_num_threads(1)
    alone = results(by_kernel, *arguments)
    torch.set_num_threads(3)
    for one, other in zip(alone, results(by_kernel, *arguments), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("scale", [1e2, 1e4])
def test_gates_far_from_zero_stay_finite(scale):
    x_BTC, weights, gradient_BTC = drawn(16)
    for found in results(by_kernel, x_BTC * scale, weights, gradient_BTC):
        assert found.isfinite().all()


@pytest.mark.parametrize("where", ["input", "weight"])
def test_nan_is_never_hidden(where):
    x_BTC, weights, gradient_BTC = drawn(16)
    (x_BTC[0, 3] if where == "input" else weights[0][5])[7] = torch.nan
    out_BTC, x_gradient_BTC, *weight_gradients = results(by_kernel, x_BTC, weights, gradient_BTC)
    assert out_BTC[0, 3].isnan().all()
    assert x_gradient_BTC[0, 3].isnan().any()
    assert all(gradient.isnan().any() for gradient in weight_gradients)


def test_the_operator_keeps_pytorchs_contract():
    x_BTC, weights, _ = drawn(16)
    torch.library.opcheck(
        feed_forward,
        (x_BTC.requires_grad_(), *(weight.requires_grad_() for weight in weights)),
        test_utils=("test_schema", "test_faketensor", "test_autograd_registration"),
    )
