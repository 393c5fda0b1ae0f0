"""The kernel against PyTorch's attention: outputs, gradients, masks, and what must hold to the bit.

P channels of queries, keys and values together    R half the channels of a head    S keys
"""

import platform
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from smidgen.model.attention import exclude_own_value
from smidgen.model.rope import rotary_angles, rotate
from smidgen.native.library import Unavailable
from smidgen.training.kernels import attention as kernel
from smidgen.training.kernels.attention import causal_attention
from smidgen.training.kernels.loading import load_kernel

# Query heads, key-value heads, channels of a head: multi-head, grouped, multi-query, groups beyond one block of
# heads, sizes that fill no vector.
HEADS = [(4, 4, 16), (6, 2, 32), (5, 1, 48), (3, 1, 64), (2, 2, 12), (6, 3, 24), (9, 1, 40)]
EMULATED_TILES = Path(__file__).parents[2] / "evaluation" / "scoring" / "emulated_tiles.h"
LENGTHS = [1, 7, 63, 64, 65, 300, 512]


@pytest.fixture(autouse=True)
def compiled():
    try:
        kernel.library(32)
    except Unavailable as error:
        pytest.skip(str(error))


def drawn(B, T, H, K, D, dtype, seed=0):
    """Projections, the gradient of the output, and rotations."""
    generator = torch.Generator().manual_seed(seed)
    projected_BTP = torch.randn(B, T, (H + 2 * K) * D, generator=generator).to(dtype)
    gradient_BTQ = torch.randn(B, T, H * D, generator=generator).to(dtype)
    return projected_BTP, gradient_BTQ, rotary_angles(torch.arange(T)[None], D, 10_000.0)


def by_pytorch(projected_BTP, rotation, first_BT, H, K, xsa):
    B, T, P = projected_BTP.shape
    D = P // (H + 2 * K)
    q_BHTD, k_BKTD, v_BKTD = (
        x.view(B, T, -1, D).transpose(1, 2) for x in projected_BTP.split((H * D, K * D, K * D), dim=-1)
    )
    rotation = tuple(angle_BTR.to(torch.promote_types(projected_BTP.dtype, torch.float32)) for angle_BTR in rotation)
    q_BHTD, k_BKTD = rotate(q_BHTD, *rotation), rotate(k_BKTD, *rotation)
    mask_B1TS = None
    if first_BT is not None:
        place_T = torch.arange(T)
        mask_B1TS = ((place_T <= place_T[:, None]) & (place_T >= first_BT[:, :, None]))[:, None]
    y_BHTD = F.scaled_dot_product_attention(
        q_BHTD, k_BKTD, v_BKTD, attn_mask=mask_B1TS, is_causal=mask_B1TS is None, enable_gqa=True
    )
    if xsa:
        # Its own rounding to float32 is what float64 is here to judge.
        y_BHTD = exclude_own_value(y_BHTD, v_BKTD) if y_BHTD.dtype != torch.float64 else excluded(y_BHTD, v_BKTD)
    return y_BHTD.transpose(1, 2).reshape(B, T, -1)


def excluded(y_BHTD, v_BKTD):
    v_BHTD = v_BKTD.repeat_interleave(y_BHTD.shape[1] // v_BKTD.shape[1], dim=1)
    return y_BHTD - (y_BHTD * v_BHTD).sum(-1, keepdim=True) / v_BHTD.square().sum(-1, keepdim=True) * v_BHTD


def by_kernel(*arguments):
    projected_BTP, rotation, first_BT, H, K, xsa = arguments
    first_BT = None if first_BT is None else first_BT.int()
    return causal_attention(projected_BTP, *rotation, first_BT, H, K, xsa)[0]


def compiled_with(head_dim, *options):
    return load_kernel("attention", f"-DHEAD_DIM={head_dim}", *options)


def result_and_gradient(attend, projected_BTP, gradient_BTQ, *others):
    projected_BTP = projected_BTP.clone().requires_grad_()
    out_BTQ = attend(projected_BTP, *others)
    out_BTQ.backward(gradient_BTQ.to(out_BTQ.dtype))
    return out_BTQ.detach().double(), projected_BTP.grad.double()


def relative_error(found, expected):
    """Of the whole tensor; where everything should be zero, of numbers of size one."""
    return ((found - expected).norm() / expected.norm().clamp_min(0.1 * expected.numel() ** 0.5)).item()


def documents(B, T, seed=3):
    """Where each token's document begins, (B, T): lengths from one token to all."""
    start_BT = torch.rand(B, T, generator=torch.Generator().manual_seed(seed)) < 8 / T
    return torch.where(start_BT, torch.arange(T), 0).cummax(dim=1).values


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("xsa", [False, True])
@pytest.mark.parametrize("T", LENGTHS)
@pytest.mark.parametrize(("H", "K", "D"), HEADS)
def test_float32_is_attention_to_five_digits(H, K, D, T, xsa, masked):
    projected_BTP, gradient_BTQ, rotation = drawn(2, T, H, K, D, torch.float32)
    others = (rotation, documents(2, T) if masked else None, H, K, xsa)
    found = result_and_gradient(by_kernel, projected_BTP, gradient_BTQ, *others)
    expected = result_and_gradient(by_pytorch, projected_BTP.double(), gradient_BTQ, *others)
    assert relative_error(found[0], expected[0]) < 1e-6
    assert relative_error(found[1], expected[1]) < 1e-5
    if T > 64:
        other = result_and_gradient(by_pytorch, projected_BTP.double(), gradient_BTQ, rotation, None, H, K, not xsa)
        assert relative_error(found[0], other[0]) > 0.01
        assert relative_error(found[1], other[1]) > 0.01


@pytest.mark.parametrize("xsa", [False, True])
@pytest.mark.parametrize("T", LENGTHS)
@pytest.mark.parametrize(("H", "K", "D"), HEADS)
def test_bfloat16_errs_no_more_than_pytorchs(H, K, D, T, xsa):
    projected_BTP, gradient_BTQ, rotation = drawn(2, T, H, K, D, torch.bfloat16)
    others = (rotation, None, H, K, xsa)
    found, stock, exact = (
        result_and_gradient(attend, projected, gradient_BTQ, *others)
        for attend, projected in (
            (by_kernel, projected_BTP),
            (by_pytorch, projected_BTP),
            (by_pytorch, projected_BTP.double()),
        )
    )
    for one, other, truth in zip(found, stock, exact, strict=True):
        # Measured: 0.7 to 1.0 of PyTorch's error. The last term is for a single token, where both are almost zero.
        assert (one - truth).norm() <= 1.5 * (other - truth).norm() + 2e-3 * truth.numel() ** 0.5


@pytest.mark.parametrize("T", [7, 100])
@pytest.mark.parametrize(("H", "K", "D"), [(6, 2, 32), (5, 1, 16), (3, 3, 48), (2, 1, 64), (2, 2, 12)])
def test_matrix_tiles_give_what_vectors_give(H, K, D, T, monkeypatch):
    if not kernel.library(32).has_bfloat16():
        pytest.skip("this processor does not multiply bfloat16")
    projected_BTP, gradient_BTQ, rotation = drawn(2, T, H, K, D, torch.bfloat16)
    others = (rotation, documents(2, T), H, K, True)
    vectors = result_and_gradient(by_kernel, projected_BTP, gradient_BTQ, *others)
    emulated = compiled_with(D, "-include", str(EMULATED_TILES))
    assert emulated.has_tiles()
    monkeypatch.setattr(kernel, "library", lambda head_dim: emulated)
    tiles = result_and_gradient(by_kernel, projected_BTP, gradient_BTQ, *others)
    for found, expected in zip(tiles, vectors, strict=True):
        # The same products in another order of adding, which now and then rounds to the next bfloat16.
        assert relative_error(found, expected) < 1e-3


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="options of that processor")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("option", ["-mno-avx512f", "-mno-avx"])
def test_older_processors_compute_the_same_in_float32(option, dtype, monkeypatch):
    H, K, D, T = 6, 2, 24, 100
    projected_BTP, gradient_BTQ, rotation = drawn(2, T, H, K, D, dtype)
    others = (rotation, documents(2, T), H, K, True)
    older = compiled_with(D, option)
    assert not older.has_bfloat16()
    monkeypatch.setattr(kernel, "library", lambda head_dim: older)
    found = result_and_gradient(by_kernel, projected_BTP, gradient_BTQ, *others)
    expected = result_and_gradient(by_pytorch, projected_BTP.double(), gradient_BTQ, *others)
    for one, other in zip(found, expected, strict=True):
        # Tensors in bfloat16 are rounded at the end.
        assert relative_error(one, other) < (1e-5 if dtype == torch.float32 else 3e-3)


def test_gradients_are_finite_differences():
    projected_BTP, gradient_BTQ, rotation = drawn(1, 5, 4, 2, 16, torch.float32)
    others = (rotation, torch.tensor([[0, 0, 1, 1, 4]]), 4, 2, True)
    _, gradient_BTP = result_and_gradient(by_kernel, projected_BTP, gradient_BTQ, *others)
    direction_BTP = torch.randn(projected_BTP.shape, generator=torch.Generator().manual_seed(9))
    step = 1e-2
    ahead, behind = (
        (by_kernel(projected_BTP + sign * step * direction_BTP, *others).double() * gradient_BTQ).sum()
        for sign in (1, -1)
    )
    expected = ((ahead - behind) / (2 * step)).item()
    assert (gradient_BTP * direction_BTP).sum().item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("H", "K", "D"), HEADS)
def test_the_first_token_of_a_document_gets_exactly_nothing(H, K, D, dtype):
    projected_BTP, _, rotation = drawn(3, 70, H, K, D, dtype)
    first_BT = documents(3, 70)
    out_BTQ = by_kernel(projected_BTP, rotation, first_BT, H, K, True)
    begins_BT = first_BT == torch.arange(70)
    assert begins_BT.sum() > 3
    assert not out_BTQ[begins_BT].any()
    assert out_BTQ[~begins_BT].any(dim=-1).all()


@pytest.mark.parametrize("xsa", [False, True])
def test_masked_documents_are_separate_documents(xsa):
    H, K, D = 6, 2, 32
    projected_BTP, gradient_BTQ, _ = drawn(1, 150, H, K, D, torch.float32)
    lengths = (33, 1, 64, 52)
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    pairs = list(zip(starts, lengths, strict=True))
    # Positions begin again with each document, in a rotation of its own for each sequence.
    position_BT = torch.cat([torch.arange(length) for _, length in pairs])[None].expand(2, -1)
    first_BT = torch.cat([torch.full((length,), start) for start, length in pairs])[None].expand(2, -1)
    rotation = rotary_angles(position_BT, D, 10_000.0)
    together = result_and_gradient(
        by_kernel, projected_BTP.repeat(2, 1, 1), gradient_BTQ.repeat(2, 1, 1), rotation, first_BT, H, K, xsa
    )
    for start, length in pairs:
        part = slice(start, start + length)
        alone = result_and_gradient(
            by_kernel,
            projected_BTP[:, part],
            gradient_BTQ[:, part],
            rotary_angles(torch.arange(length)[None], D, 10_000.0),
            None,
            H,
            K,
            xsa,
        )
        for found, expected in zip(together, alone, strict=True):
            for row in found:
                torch.testing.assert_close(row[part], expected[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_threads_and_repetition_change_no_bit(dtype):
    projected_BTP, gradient_BTQ, rotation = drawn(5, 100, 6, 2, 32, dtype)
    results = []
    for threads in (1, 3, 3, 2):
        torch.set_num_threads(threads)
        results.append(result_and_gradient(by_kernel, projected_BTP, gradient_BTQ, rotation, None, 6, 2, True))
    for out_BTQ, gradient_BTP in results[1:]:
        assert torch.equal(out_BTQ, results[0][0])
        assert torch.equal(gradient_BTP, results[0][1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("channel", [3, 6 * 32 + 5, 8 * 32 + 7], ids=["query", "key", "value"])
def test_nan_is_never_hidden(channel, dtype):
    projected_BTP, gradient_BTQ, rotation = drawn(2, 70, 6, 2, 32, dtype)
    projected_BTP[0, 40, channel] = torch.nan
    out_BTQ, gradient_BTP = result_and_gradient(by_kernel, projected_BTP, gradient_BTQ, rotation, None, 6, 2, True)
    assert out_BTQ[0, 40].isnan().any()
    assert gradient_BTP[0].isnan().any()
    # The other sequence knows nothing of it.
    assert out_BTQ[1].isfinite().all()
    assert gradient_BTP[1].isfinite().all()


def test_scores_too_large_for_an_exponential_stay_finite():
    projected_BTP, gradient_BTQ, rotation = drawn(1, 65, 2, 1, 16, torch.float32)
    for found in result_and_gradient(by_kernel, 100 * projected_BTP, gradient_BTQ, rotation, None, 2, 1, True):
        assert found.isfinite().all()


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-30])
def test_values_too_small_to_square_stay_finite(size):
    projected_BTP, gradient_BTQ, rotation = drawn(1, 40, 4, 2, 16, torch.float32)
    projected_BTP[:, 7, 6 * 16 :] *= size
    for found in result_and_gradient(by_kernel, projected_BTP, gradient_BTQ, rotation, None, 4, 2, True):
        assert found.isfinite().all()


def test_the_operators_keep_pytorchs_contract():
    projected_BTP, _, rotation = drawn(2, 9, 4, 2, 16, torch.float32)
    torch.library.opcheck(
        causal_attention,
        (projected_BTP.requires_grad_(), *rotation, documents(2, 9).int(), 4, 2, True),
        test_utils=("test_schema", "test_faketensor", "test_autograd_registration"),
    )
