"""The head and its loss in one kernel against PyTorch's product and cross entropy."""

import pytest
import torch
import torch.nn.functional as F

from smidgen.native.library import Unavailable
from smidgen.training.kernels import head_loss as kernel
from smidgen.training.kernels.head_loss import head_loss

HIDDEN, VOCAB = 64, 160


@pytest.fixture(autouse=True)
def compiled():
    try:
        library = kernel.library()
    except Unavailable as error:
        pytest.skip(str(error))
    if not library.is_fastest():
        pytest.skip("this processor has no bfloat16 dot products, or something better")


def drawn(tokens, hidden=HIDDEN, vocab=VOCAB):
    generator = torch.Generator().manual_seed(tokens)
    x_BTC = torch.randn(2, tokens // 2, hidden, generator=generator).bfloat16()
    weight_VC = torch.randn(vocab, hidden, generator=generator) / 4
    return x_BTC, weight_VC, torch.randint(vocab, x_BTC.shape[:2], generator=generator)


def by_kernel(x_BTC, weight_VC, targets_BT):
    return head_loss(x_BTC, weight_VC, targets_BT)[0]


def by_pytorch(x_BTC, weight_VC, targets_BT):
    logits_BTV = F.linear(x_BTC, weight_VC)
    wide = torch.promote_types(logits_BTV.dtype, torch.float32)
    return F.cross_entropy(logits_BTV.flatten(0, 1).to(wide), targets_BT.flatten())


def in_bfloat16(x_BTC, weight_VC, targets_BT):
    return by_pytorch(x_BTC, weight_VC.bfloat16(), targets_BT)


def results(loss_of, x_BTC, weight_VC, targets_BT):
    """Loss and gradients of input and weights."""
    inputs = [x.clone().requires_grad_() for x in (x_BTC, weight_VC)]
    loss = loss_of(*inputs, targets_BT)
    # Not 1, as where a step has several passes.
    (0.25 * loss).backward()
    return [loss.detach().double(), *(x.grad.double() for x in inputs)]


# One tile, a part of a block, several blocks, and more than one chunk with a part of another.
@pytest.mark.parametrize("tokens", [8, 24, 200, 512, 1096])
@pytest.mark.parametrize(("hidden", "vocab"), [(HIDDEN, VOCAB), (32, 32), (96, 4096)])
def test_it_errs_no_more_than_pytorchs_bfloat16(tokens, hidden, vocab):
    x_BTC, weight_VC, targets_BT = drawn(tokens, hidden, vocab)
    exact = results(by_pytorch, x_BTC.double(), weight_VC.double(), targets_BT)
    stock = results(in_bfloat16, x_BTC, weight_VC, targets_BT)
    found = results(by_kernel, x_BTC, weight_VC, targets_BT)
    # The weights are rounded, the logits are not.
    assert abs(found[0] - exact[0]) < 5e-3
    for one, other, truth in zip(found[1:], stock[1:], exact[1:], strict=True):
        assert 0 < (one - truth).norm() <= 1.1 * (other - truth).norm()


def test_rounded_weights_have_their_loss_to_six_digits():
    x_BTC, weight_VC, targets_BT = drawn(200)
    weight_VC = weight_VC.bfloat16().float()
    expected = by_pytorch(x_BTC.double(), weight_VC.double(), targets_BT)
    assert by_kernel(x_BTC, weight_VC, targets_BT).item() == pytest.approx(expected.item(), rel=1e-6)


def test_threads_change_no_bit():
    arguments = drawn(1096)
    torch.set_num_threads(1)
    alone = results(by_kernel, *arguments)
    torch.set_num_threads(3)
    for one, other in zip(alone, results(by_kernel, *arguments), strict=True):
        assert torch.equal(one, other)


def test_logits_too_large_for_an_exponential_stay_finite():
    x_BTC, weight_VC, targets_BT = drawn(16)
    found = results(by_kernel, 1e3 * x_BTC, weight_VC, targets_BT)
    assert found[0] > 100
    assert all(each.isfinite().all() for each in found)


@pytest.mark.parametrize("where", ["input", "weight"])
def test_nan_is_never_hidden(where):
    x_BTC, weight_VC, targets_BT = drawn(16)
    (x_BTC[0, 3] if where == "input" else weight_VC[5])[7] = torch.nan
    loss, x_gradient_BTC, weight_gradient_VC = results(by_kernel, x_BTC, weight_VC, targets_BT)
    assert loss.isnan()
    assert x_gradient_BTC[0, 3].isnan().all()
    assert weight_gradient_VC.isnan().any()


def test_targets_may_be_a_view():
    x_BTC, weight_VC, targets_BT = drawn(16)
    wider_BU = torch.cat((targets_BT[:, :1], targets_BT), dim=1)
    assert by_kernel(x_BTC, weight_VC, wider_BU[:, 1:]) == by_kernel(x_BTC, weight_VC, targets_BT)


def test_the_operator_keeps_pytorchs_contract():
    x_BTC, weight_VC, targets_BT = drawn(16)
    torch.library.opcheck(
        head_loss,
        (x_BTC.requires_grad_(), weight_VC.requires_grad_(), targets_BT),
        test_utils=("test_schema", "test_faketensor", "test_autograd_registration"),
    )
