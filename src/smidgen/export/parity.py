"""How far two implementations of one model are apart.

Shapes:
    N positions    V vocabulary
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Parity:
    """``kl`` is the mean Kullback-Leibler divergence in nats from ours to theirs, ``top1`` the share of positions at
    which both find the same token most probable.
    """

    max_abs_logit_diff: float
    kl: float
    top1: float


def parity(ours_NV: Sequence[Tensor], theirs_NV: Sequence[Tensor]) -> Parity:
    """Compare logits, one tensor for each text. NaN in either makes the result NaN."""
    ours, theirs = torch.cat(list(ours_NV)).double(), torch.cat(list(theirs_NV)).double()
    log_ours, log_theirs = ours.log_softmax(dim=-1), theirs.log_softmax(dim=-1)
    kl_N = (log_ours.exp() * (log_ours - log_theirs)).sum(dim=-1)
    same_N = ours.argmax(dim=-1) == theirs.argmax(dim=-1)
    return Parity(
        max_abs_logit_diff=(ours - theirs).abs().max().item(),
        # Rounding can make the mean of nothing slightly negative.
        kl=kl_N.mean().clamp_min(0).item(),
        top1=same_N.double().mean().item(),
    )
