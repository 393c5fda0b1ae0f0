"""Rotary position embedding (arXiv:2104.09864) in the half-split layout of ``LlamaForCausalLM``.

Channel r turns together with channel r + D/2. GGUF uses the interleaved layout: an exporter permutes.
"""

import torch
from torch import Tensor


def rotary_angles(position_ids_BT: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every rotation, (B, T) -> two of (B, T, R), in float32.

    Computed from the positions at each call rather than stored, so that a window longer than the training
    context needs no new table (Atom-2.7m is scored at 548 positions with a context of 512).
    """
    angle_BTR = position_ids_BT[:, :, None].float() * rotary_frequencies(head_dim, theta, position_ids_BT.device)
    return angle_BTR.cos(), angle_BTR.sin()


def rotary_frequencies(head_dim: int, theta: float, device: torch.device | None = None) -> Tensor:
    """Radians by which each pair of channels turns from one position to the next, (R,), in float32."""
    exponent_R = torch.arange(0, head_dim, 2, device=device, dtype=torch.float32) / head_dim
    return 1.0 / theta**exponent_R


def rotate(x_BHTD: Tensor, cos_BTR: Tensor, sin_BTR: Tensor) -> Tensor:
    """Turn each pair of channels of every head by its position's angle: (B, H, T, D) -> (B, H, T, D)."""
    first_BHTR, second_BHTR = x_BHTD.chunk(2, dim=-1)
    # In float32 also for bfloat16 heads, as LlamaForCausalLM does under autocast: angles keep all their digits.
    cos_B1TR, sin_B1TR = cos_BTR[:, None], sin_BTR[:, None]
    turned_BHTD = torch.cat(
        (
            first_BHTR * cos_B1TR - second_BHTR * sin_B1TR,
            second_BHTR * cos_B1TR + first_BHTR * sin_B1TR,
        ),
        dim=-1,
    )
    return turned_BHTD.to(x_BHTD.dtype)
