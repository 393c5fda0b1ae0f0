"""How far two implementations of one model are apart.

Shapes:
    N positions    V vocabulary
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from smidgen.errors import CheckFailed

# Positions compared at a time: a whole context in float64 would take a gigabyte at 16,384 tokens.
_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Parity:
    """``kl`` is the mean Kullback-Leibler divergence in nats from ours to theirs, ``top1`` the share of positions at
    which both find the same token most probable.
    """

    max_abs_logit_diff: float
    kl: float
    top1: float


def parity(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> Parity:
    """Compare logits, one tensor (N, V) for each text. NaN in either makes the result NaN."""
    parts = zip(torch.cat(list(ours)).split(_AT_ONCE), torch.cat(list(theirs)).split(_AT_ONCE), strict=True)
    distances_N3 = torch.cat([distances(ours_NV.double(), theirs_NV.double()) for ours_NV, theirs_NV in parts])
    farthest, _, _ = distances_N3.amax(dim=0).tolist()
    _, kl, top1 = distances_N3.mean(dim=0).tolist()
    # Rounding can make the mean of nothing slightly negative.
    return Parity(max_abs_logit_diff=farthest, kl=max(kl, 0.0), top1=top1)


def allowed_difference(ours: Sequence[Tensor], tolerance: float) -> float:
    """``tolerance`` for each unit of the largest of our logits, at least 1: rounding grows with it."""
    return tolerance * max(1.0, *(logits_NV.abs().max().item() for logits_NV in ours))


def require_close(found: Parity, allowed: float, finding: str) -> None:
    """Raise ``CheckFailed``, which begins with ``finding``, where logits differ by more than is allowed."""
    # Written so that NaN fails.
    if not found.max_abs_logit_diff <= allowed:
        raise CheckFailed(
            f"{finding}: they differ by up to {found.max_abs_logit_diff:.2g}, allowed is {allowed:.2g} in float32; "
            "nothing was written"
        )


def distances(ours_NV: Tensor, theirs_NV: Tensor) -> Tensor:
    """The largest difference, the divergence, and 1 where the most probable token is the same: (N, V) -> (N, 3)."""
    log_ours_NV, log_theirs_NV = ours_NV.log_softmax(dim=-1), theirs_NV.log_softmax(dim=-1)
    farthest_N = (ours_NV - theirs_NV).abs().amax(dim=-1)
    kl_N = (log_ours_NV.exp() * (log_ours_NV - log_theirs_NV)).sum(dim=-1)
    same_N = ours_NV.argmax(dim=-1) == theirs_NV.argmax(dim=-1)
    return torch.stack([farthest_N, kl_N, same_N.double()], dim=-1)
