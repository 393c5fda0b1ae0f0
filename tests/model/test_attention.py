"""XSA is defined per query head as z = y - (y . v) v / |v|^2 with the token's own value v (arXiv:2603.09078)."""

import pytest
import torch
import torch.nn.functional as F

from smidgen.model.attention import Attention, exclude_own_value
from smidgen.model.rope import rotary_angles

from .small_models import farthest, random_tensor, randomise, small_config

# Query heads, key-value heads, channels of a head: multi-head, grouped, multi-query.
HEADS = [(5, 5, 6), (6, 3, 8), (15, 3, 4), (10, 1, 14)]


def small_attention(num_heads=6, num_kv_heads=3, head_dim=8, **changes):
    changes = {"xsa": True, **changes}
    attention = Attention(
        small_config(hidden_size=60, num_heads=num_heads, num_kv_heads=num_kv_heads, head_dim=head_dim, **changes),
        layer_idx=0,
    )
    randomise(attention, seed=7)
    return attention, rotary_angles(torch.arange(7)[None], head_dim, 10_000.0)


def by_definition(y_BHTD, v_BKTD):
    """One head and token at a time, in float64."""
    y_BHTD, v_BKTD = y_BHTD.double(), v_BKTD.double()
    B, H, T, _ = y_BHTD.shape
    z_BHTD = torch.empty_like(y_BHTD)
    for b in range(B):
        for h in range(H):
            for t in range(T):
                y_D, v_D = y_BHTD[b, h, t], v_BKTD[b, h // (H // v_BKTD.shape[1]), t]
                z_BHTD[b, h, t] = y_D - (y_D @ v_D) * v_D / (v_D @ v_D)
    return z_BHTD


def attention_by_loops(attention, x_BTC, *, xsa=True, reads_itself=True):
    """The whole layer, one head at a time in float64, with rotations as complex numbers."""
    D, K = attention.head_dim, attention.num_kv_heads
    weights = {name: weight.double() for name, weight in attention.state_dict().items()}

    def project(name, x):
        return F.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def turned(x_TD):
        frequency_R = 10_000.0 ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
        angle_TR = torch.arange(len(x_TD))[:, None] * frequency_R
        number_TR = torch.complex(x_TD[:, : D // 2], x_TD[:, D // 2 :]) * torch.polar(
            torch.ones_like(angle_TR), angle_TR
        )
        return torch.cat((number_TR.real, number_TR.imag), dim=1)

    rows = []
    for x_TC in x_BTC.double():
        q_TP, k_TP, v_TP = (project(name, x_TC) for name in ("q_proj", "k_proj", "v_proj"))
        heads = []
        for h in range(q_TP.shape[1] // D):
            kv = slice((h * K * D // q_TP.shape[1]) * D, (h * K * D // q_TP.shape[1]) * D + D)
            v_TD = v_TP[:, kv]
            score_TT = turned(q_TP[:, h * D : h * D + D]) @ turned(k_TP[:, kv]).T / D**0.5
            seen_TT = torch.ones_like(score_TT).tril(0 if reads_itself else -1).bool()
            y_TD = score_TT.masked_fill(~seen_TT, -1e30).softmax(dim=1) @ v_TD
            if xsa:
                y_TD = y_TD - (y_TD * v_TD).sum(1, keepdim=True) * v_TD / (v_TD * v_TD).sum(1, keepdim=True)
            heads.append(y_TD)
        rows.append(project("o_proj", torch.cat(heads, dim=1)))
    return torch.stack(rows)


@pytest.mark.parametrize(("H", "K", "D"), HEADS)
@pytest.mark.parametrize("options", [{"xsa": False}, {"xsa": True}, {"xsa": True, "attention_bias": True}], ids=str)
def test_the_layer_equals_a_loop_over_its_heads(H, K, D, options):
    attention, rotation = small_attention(H, K, D, **options)
    x_BTC = random_tensor(2, 7, 60)
    expected_BTC = attention_by_loops(attention, x_BTC, xsa=options["xsa"])
    assert farthest(attention(x_BTC, rotation).double(), expected_BTC) < 1e-5
    assert farthest(attention_by_loops(attention, x_BTC, xsa=not options["xsa"]), expected_BTC) > 0.1


@pytest.mark.parametrize(("H", "K", "D"), HEADS)
def test_exclusion_follows_its_definition(H, K, D):
    y_BHTD, v_BKTD = random_tensor(2, H, 9, D, seed=1), random_tensor(2, K, 9, D, seed=2)
    z_BHTD = exclude_own_value(y_BHTD, v_BKTD)
    assert farthest(z_BHTD.double(), by_definition(y_BHTD, v_BKTD)) < 1e-5
    if 1 < K < H:
        wrong_group_BHTD = by_definition(y_BHTD, v_BKTD.roll(1, dims=1))
        assert farthest(z_BHTD.double(), wrong_group_BHTD) > 0.1


@pytest.mark.parametrize(("H", "K", "D"), HEADS)
def test_what_is_left_is_orthogonal_to_the_own_value(H, K, D):
    y_BHTD, v_BKTD = random_tensor(2, H, 9, D, seed=1), random_tensor(2, K, 9, D, seed=2)
    v_BHTD = v_BKTD.repeat_interleave(H // K, dim=1)
    dot_BHT = (exclude_own_value(y_BHTD, v_BKTD) * v_BHTD).sum(dim=-1)
    assert dot_BHT.abs().max() < 1e-5
    assert (y_BHTD * v_BHTD).sum(dim=-1).abs().max() > 1


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_exclusion_does_not_depend_on_the_length_of_the_value(scale):
    y_BHTD, v_BKTD = random_tensor(2, 6, 5, 8, seed=1), random_tensor(2, 3, 5, 8, seed=2)
    torch.testing.assert_close(exclude_own_value(y_BHTD, v_BKTD * scale), exclude_own_value(y_BHTD, v_BKTD))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("tokens", [1, 7, 64, 129])
@pytest.mark.parametrize(("H", "K", "D"), [*HEADS, (3, 1, 64), (6, 2, 32), (4, 2, 48)])
def test_the_first_token_gets_exactly_nothing(H, K, D, tokens, dtype):
    # Through the layer, so that values have the strides they have there: the order of a sum depends on strides.
    attention, _ = small_attention(H, K, D)
    attention.o_proj = torch.nn.Identity()
    attention.to(dtype)
    rotation = rotary_angles(torch.arange(tokens)[None], D, 10_000.0)
    z_BTP = attention(random_tensor(5, tokens, 60, dtype=dtype), rotation)
    assert not z_BTP[:, 0].any()
    assert z_BTP[:, 1:].any(dim=-1).all()


def test_excluding_the_own_value_is_not_masking_the_diagonal():
    attention, rotation = small_attention()
    x_BTC = random_tensor(2, 7, 60)
    masked_BTC = attention_by_loops(attention, x_BTC, xsa=False, reads_itself=False)
    difference_BT = (attention(x_BTC, rotation) - masked_BTC).abs().amax(dim=-1)
    assert (difference_BT[:, 1:] > 1e-2).all()
    also_masked_BTC = attention_by_loops(attention, x_BTC, xsa=True, reads_itself=False)
    assert farthest(attention(x_BTC, rotation)[:, 1:].double(), also_masked_BTC[:, 1:]) > 1e-2


def test_a_zero_value_excludes_nothing_and_has_finite_gradients():
    y_BHTD, v_BKTD = random_tensor(2, 6, 5, 8, seed=1), random_tensor(2, 3, 5, 8, seed=2)
    v_BKTD[1, 2, 3] = 0
    y_BHTD.requires_grad_()
    v_BKTD.requires_grad_()
    z_BHTD = exclude_own_value(y_BHTD, v_BKTD)
    (z_BHTD * random_tensor(2, 6, 5, 8, seed=3)).sum().backward()
    assert torch.equal(z_BHTD[1, 4:, 3], y_BHTD[1, 4:, 3])
    assert z_BHTD.isfinite().all()
    assert y_BHTD.grad.isfinite().all()
    assert v_BKTD.grad.isfinite().all()


@pytest.mark.parametrize("tiny", [1e-8, 1e-10, 1e-12, 1e-15, 1e-20, 1e-30, 1e-40])
def test_values_too_small_to_square_stay_finite(tiny):
    y_BHTD, v_BKTD = random_tensor(2, 6, 5, 8, seed=1), random_tensor(2, 3, 5, 8, seed=2) * tiny
    v_BKTD.requires_grad_()
    z_BHTD = exclude_own_value(y_BHTD, v_BKTD)
    z_BHTD.sum().backward()
    assert z_BHTD.isfinite().all()
    assert z_BHTD.abs().max() < 10
    assert v_BKTD.grad.isfinite().all()


def test_gradients_are_those_of_the_definition():
    y_BHTD, v_BKTD = random_tensor(2, 6, 5, 8, seed=1), random_tensor(2, 3, 5, 8, seed=2)
    weight_BHTD = random_tensor(2, 6, 5, 8, seed=3)
    gradients = []
    for exclude in (exclude_own_value, by_definition):
        inputs = [x.clone().requires_grad_() for x in (y_BHTD, v_BKTD)]
        gradients.append(torch.autograd.grad((exclude(*inputs) * weight_BHTD).sum(), inputs))
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)


def test_exclusion_in_bfloat16_is_computed_in_float32():
    y_BHTD = random_tensor(2, 6, 5, 8, seed=1, dtype=torch.bfloat16)
    v_BKTD = random_tensor(2, 3, 5, 8, seed=2, dtype=torch.bfloat16)
    z_BHTD = exclude_own_value(y_BHTD, v_BKTD)
    assert z_BHTD.dtype == torch.bfloat16
    assert torch.equal(z_BHTD, exclude_own_value(y_BHTD.float(), v_BKTD.float()).bfloat16())


def test_exclusion_adds_no_parameters():
    assert set(small_attention(xsa=True)[0].state_dict()) == set(small_attention(xsa=False)[0].state_dict())
