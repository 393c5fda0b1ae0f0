import math

import pytest
import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

from smidgen.model.rope import rotary_angles, rotate

from .small_models import farthest, random_tensor

THETA = 2_500.0


def rotated(x_BHTD, positions, theta=THETA):
    return rotate(x_BHTD, *rotary_angles(torch.tensor([positions]), x_BHTD.shape[-1], theta))


@pytest.mark.parametrize("theta", [10_000.0, 2_500.0])
def test_rotation_equals_llamas(theta):
    q_BHTD = random_tensor(2, 3, 5, 14)
    position_ids_BT = torch.tensor([[0, 1, 2, 3, 4], [0, 0, 511, 547, 4_000]])
    llama = LlamaRotaryEmbedding(
        LlamaConfig(
            hidden_size=42,
            num_attention_heads=3,
            head_dim=14,
            rope_parameters={"rope_type": "default", "rope_theta": theta},
        )
    )
    expected_BHTD, _ = apply_rotary_pos_emb(q_BHTD, q_BHTD, *llama(q_BHTD, position_ids_BT))
    cos_BTR, sin_BTR = rotary_angles(position_ids_BT, 14, theta)
    assert farthest(rotate(q_BHTD, cos_BTR, sin_BTR), expected_BHTD) < 1e-6


def test_channel_r_turns_with_channel_r_plus_half_as_a_complex_number():
    x_BHTD = random_tensor(1, 2, 3, 10)
    turned_BHTD = rotated(x_BHTD, [4, 5, 6])
    for head in range(2):
        for t, position in enumerate([4, 5, 6]):
            for r in range(5):
                number = complex(x_BHTD[0, head, t, r], x_BHTD[0, head, t, r + 5])
                angle = position / THETA ** (2 * r / 10)
                expected = number * complex(math.cos(angle), math.sin(angle))
                actual = complex(turned_BHTD[0, head, t, r], turned_BHTD[0, head, t, r + 5])
                assert actual == pytest.approx(expected, abs=1e-5)


def test_position_zero_is_not_turned():
    x_BHTD = random_tensor(2, 3, 1, 10)
    assert torch.equal(rotated(x_BHTD, [0]), x_BHTD)


def test_the_product_of_query_and_key_depends_on_their_distance_only():
    q_BHTD, k_BHTD = random_tensor(1, 2, 1, 10, seed=1), random_tensor(1, 2, 1, 10, seed=2)

    def score(query_position, key_position):
        return (rotated(q_BHTD, [query_position]) * rotated(k_BHTD, [key_position])).sum(dim=-1)

    torch.testing.assert_close(score(3, 1), score(303, 301), atol=1e-4, rtol=0)
    assert farthest(score(3, 1), score(3, 2)) > 1e-2


def test_rotation_keeps_lengths():
    x_BHTD = random_tensor(2, 3, 5, 14)
    torch.testing.assert_close(rotated(x_BHTD, [0, 7, 50, 511, 547]).norm(dim=-1), x_BHTD.norm(dim=-1))


def test_another_theta_is_another_rotation():
    x_BHTD = random_tensor(1, 1, 1, 14)
    assert farthest(rotated(x_BHTD, [100], 2_500.0), rotated(x_BHTD, [100], 10_000.0)) > 0.1


def test_angles_are_float32_and_the_result_keeps_its_type():
    cos_BTR, sin_BTR = rotary_angles(torch.tensor([[0, 500]]), 6, THETA)
    assert cos_BTR.dtype == sin_BTR.dtype == torch.float32
    assert rotate(random_tensor(1, 2, 2, 6, dtype=torch.bfloat16), cos_BTR, sin_BTR).dtype == torch.bfloat16
