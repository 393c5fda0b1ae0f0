"""Norms of tokens and of heads by the kernel against those of the model.

M models    N sequences of all of them    P channels of a token, R of them behind its heads
"""

import platform

import pytest
import torch

from smidgen.model.norm import RMSNorm
from smidgen.native.library import Unavailable
from smidgen.training.kernels import norm as kernel
from smidgen.training.kernels.loading import load_kernel
from smidgen.training.kernels.norm import norm

EPS = 1e-2
# Models, heads, channels of a head, channels behind the heads: tokens of the widths of several designs, queries and
# keys before values, several models.
SHAPES = [
    (1, 1, 128, 0),
    (1, 1, 192, 0),
    (1, 1, 256, 0),
    (1, 6, 48, 96),
    (1, 3, 64, 64),
    (3, 1, 48, 0),
    (2, 5, 16, 32),
]
# Tokens of each of three sequences, an odd number together: less than a chunk, and parts of one behind whole ones.
TOKENS = [1, 7, 67, 131]
FORMATS = [(torch.float32, torch.float32), (torch.float32, torch.bfloat16), (torch.bfloat16, torch.bfloat16)]


@pytest.fixture(autouse=True)
def compiled():
    try:
        kernel.library(48)
    except Unavailable as error:
        pytest.skip(str(error))


def drawn(tokens, M, H, D, R, x_dtype=torch.float32, out_dtype=torch.float32):
    """Input, weights and the gradient of the output; tokens differ in size, so that a mean over all would show."""
    generator = torch.Generator().manual_seed(tokens)
    shape = (3 * M, tokens, H * D + R)
    size_NT1 = torch.rand(*shape[:2], 1, generator=generator) * 3 + 0.05
    x_NTP = (torch.randn(shape, generator=generator) * size_NT1).to(x_dtype)
    weight_MHD = 1 + 0.5 * torch.randn(M, H, D, generator=generator)
    return x_NTP, weight_MHD, torch.randn(shape, generator=generator).to(out_dtype)


def by_kernel(x_NTP, weight_MHD, dtype):
    return norm(x_NTP, weight_MHD, EPS, dtype)


def by_formula(x_NTP, weight_MHD, dtype):
    """In the format of the input, which is float64 where truth is wanted."""
    M, H, D = weight_MHD.shape
    heads_MLHD = x_NTP[..., : H * D].reshape(M, -1, H, D)
    scale_MLH1 = (heads_MLHD.square().mean(dim=-1, keepdim=True) + EPS).rsqrt()
    normed_NTQ = (weight_MHD[:, None] * heads_MLHD * scale_MLH1).reshape(*x_NTP.shape[:2], H * D)
    return torch.cat((normed_NTQ, x_NTP[..., H * D :]), dim=-1)


def by_model(x_NTP, weight_MHD, dtype):
    """What the decoder computes without the kernel: a norm for each head of each model."""
    M, H, D = weight_MHD.shape
    heads_MLHD = x_NTP[..., : H * D].reshape(M, -1, H, D)
    stock = RMSNorm(D, EPS)
    del stock.weight
    stock.weight = weight_MHD[:, None]
    normed_NTQ = stock(heads_MLHD).reshape(*x_NTP.shape[:2], H * D)
    return torch.cat((normed_NTQ.to(dtype), x_NTP[..., H * D :].to(dtype)), dim=-1)


def results(normed, x_NTP, weight_MHD, gradient_NTP):
    """Output and gradients of input and weights."""
    inputs = [x.clone().requires_grad_() for x in (x_NTP, weight_MHD)]
    out_NTP = normed(*inputs, gradient_NTP.dtype)
    out_NTP.backward(gradient_NTP.to(out_NTP.dtype))
    return [out_NTP.detach(), *(x.grad for x in inputs)]


def exact_results(x_NTP, weight_MHD, gradient_NTP):
    return results(by_formula, x_NTP.double(), weight_MHD.double(), gradient_NTP)


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_float32_is_the_norm_to_six_digits(shape, tokens):
    arguments = drawn(tokens, *shape)
    found, exact = results(by_kernel, *arguments), exact_results(*arguments)
    for one, truth in zip(found, exact, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one.double(), truth, rtol=2e-6, atol=2e-6 * truth.abs().max().item())


@pytest.mark.parametrize("other", ["eps", "order of heads"])
def test_another_norm_is_told_apart(other):
    def another(x_NTP, weight_MHD, dtype):
        if other == "eps":
            return norm(x_NTP, weight_MHD, 1.01 * EPS, dtype)
        return norm(x_NTP, weight_MHD.flip(1), EPS, dtype)

    arguments = drawn(7, 1, 6, 48, 96)
    for one, truth in zip(results(another, *arguments), exact_results(*arguments), strict=True):
        # Ten times what a norm is allowed.
        assert (one - truth).abs().max() > 2e-5 * truth.abs().max()


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("formats", FORMATS[1:], ids=["narrow out", "narrow"])
def test_bfloat16_errs_no_more_than_the_models(formats, shape, tokens):
    arguments = drawn(tokens, *shape, *formats)
    exact, stock, found = exact_results(*arguments), results(by_model, *arguments), results(by_kernel, *arguments)
    for one, other, truth in zip(found, stock, exact, strict=True):
        assert one.dtype == other.dtype
        error, usual = ((each.double() - truth).norm() for each in (one, other))
        # The last term is for what both have in float32.
        assert error <= 1.02 * usual + 1e-6 * truth.norm()


@pytest.mark.parametrize("formats", FORMATS, ids=str)
def test_values_are_those_of_the_model_but_for_the_last_digit(formats):
    x_NTP, weight_MHD, _ = drawn(67, 1, 6, 48, 96, *formats)
    stock_NTP, found_NTP = (normed(x_NTP, weight_MHD, formats[1]) for normed in (by_model, by_kernel))
    # Sums in another order now and then round to the next number; in float32 each of four roundings may.
    last_digits = torch.finfo(formats[1]).eps * (4 if formats[1] == torch.float32 else 2)
    torch.testing.assert_close(found_NTP, stock_NTP, rtol=last_digits, atol=0.0)
    if formats[1] == torch.bfloat16:
        assert (found_NTP == stock_NTP).float().mean() > 0.99


@pytest.mark.parametrize("formats", FORMATS, ids=str)
def test_channels_behind_the_heads_pass_to_the_bit(formats):
    arguments = drawn(67, 2, 5, 16, 32, *formats)
    x_NTP, _, gradient_NTP = arguments
    out_NTP, x_gradient_NTP, _ = results(by_kernel, *arguments)
    assert torch.equal(out_NTP[..., -32:], x_NTP[..., -32:].to(out_NTP.dtype))
    assert torch.equal(x_gradient_NTP[..., -32:], gradient_NTP[..., -32:].to(x_NTP.dtype))


@pytest.mark.parametrize("formats", FORMATS, ids=str)
def test_neither_threads_nor_repetition_change_a_bit(formats):
    # Chunks that two, three and five threads share unevenly.
    arguments = drawn(301, 1, 6, 48, 96, *formats)
    torch.set_num_threads(1)
    alone = results(by_kernel, *arguments)
    for threads in (1, 2, 3, 5):
        torch.set_num_threads(threads)
        for one, other in zip(alone, results(by_kernel, *arguments), strict=True):
            assert torch.equal(one, other)


def test_models_of_a_stack_are_what_each_is_alone():
    x_NTP, weight_MHD, gradient_NTP = drawn(67, 3, 5, 16, 32)
    together = results(by_kernel, x_NTP, weight_MHD, gradient_NTP)
    parts = zip(x_NTP.split(3), weight_MHD.split(1), gradient_NTP.split(3), strict=True)
    alone = zip(*(results(by_kernel, *part) for part in parts), strict=True)
    for one, other in zip(together, alone, strict=True):
        assert torch.equal(one, torch.cat(other))


def test_tokens_of_nothing_are_zero_and_have_gradients():
    x_NTP, weight_MHD, gradient_NTP = drawn(7, 1, 1, 48, 0)
    x_NTP[1, 3] = 0.0
    out_NTP, x_gradient_NTP, _ = results(by_kernel, x_NTP, weight_MHD, gradient_NTP)
    assert not out_NTP[1, 3].any()
    expected_C = (gradient_NTP[1, 3] * weight_MHD[0, 0] / EPS**0.5).double()
    torch.testing.assert_close(x_gradient_NTP[1, 3].double(), expected_C, rtol=1e-6, atol=0.0)


def test_nan_stays_in_its_head_and_is_never_hidden():
    x_NTP, weight_MHD, gradient_NTP = drawn(7, 1, 3, 16, 16)
    x_NTP[0, 5, 20] = torch.nan
    out_NTP, x_gradient_NTP, weight_gradient_MHD = results(by_kernel, x_NTP, weight_MHD, gradient_NTP)
    for found_NTP in (out_NTP, x_gradient_NTP):
        assert found_NTP[0, 5, 16:32].isnan().all()
        assert found_NTP.isnan().sum() == 16
    assert weight_gradient_MHD.isnan().any(dim=-1).tolist() == [[False, True, False]]


def test_any_layout_may_be_given():
    x_NTP, weight_MHD, gradient_NTP = drawn(7, 1, 3, 16, 16)
    expected = results(by_kernel, x_NTP, weight_MHD, gradient_NTP)
    turned_NTP, turned_gradient_NTP = (
        each.transpose(0, 1).contiguous().transpose(0, 1) for each in (x_NTP, gradient_NTP)
    )
    assert not turned_NTP.is_contiguous()
    turned_MHD = weight_MHD.mT.contiguous().mT
    for one, other in zip(results(by_kernel, turned_NTP, turned_MHD, turned_gradient_NTP), expected, strict=True):
        assert torch.equal(one, other)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="options of that processor")
@pytest.mark.parametrize("option", ["-mno-avx512f", "-mno-avx"])
def test_older_processors_compute_the_same_and_are_not_asked_to(option, monkeypatch):
    older = load_kernel("norm", "-DHEAD_DIM=48", option)
    assert not older.is_fastest()
    monkeypatch.setattr(kernel, "library", lambda head_dim: older)
    for formats in FORMATS:
        arguments = drawn(67, 1, 6, 48, 96, *formats)
        for one, truth in zip(results(by_kernel, *arguments), exact_results(*arguments), strict=True):
            assert (one - truth).norm() <= (1e-6 if formats[1] == torch.float32 else 4e-3) * truth.norm()


@pytest.mark.parametrize("formats", FORMATS, ids=str)
def test_the_operator_keeps_pytorchs_contract(formats):
    x_NTP, weight_MHD, _ = drawn(7, 1, 3, 16, 16, *formats)
    torch.library.opcheck(
        norm,
        (x_NTP.requires_grad_(), weight_MHD.requires_grad_(), EPS, formats[1]),
        test_utils=("test_schema", "test_faketensor", "test_autograd_registration"),
    )
