"""What training minimises: the cross entropy of the next token, and the z-loss where the recipe has one.

B sequences    T tokens    V vocabulary    M models
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def training_losses(logits_BTV: Tensor, targets_BT: Tensor, z_loss: float) -> tuple[Tensor, Tensor]:
    """What gradients are taken of, and the mean cross entropy alone in nats per token, which is what is reported.

    The z-loss is ``z_loss`` times the mean of log(Z) squared, Z being the sum of the softmax; it keeps logits from
    drifting away from 0 (PaLM, arXiv:2204.02311, section 5).
    """
    logits_NV = logits_BTV.flatten(0, 1).float()
    cross_entropy = F.cross_entropy(logits_NV, targets_BT.flatten())
    if not z_loss:
        return cross_entropy, cross_entropy.detach()
    return cross_entropy + z_loss * logits_NV.logsumexp(dim=1).square().mean(), cross_entropy.detach()


def losses_of_each(logits_MBTV: Tensor, targets_MBT: Tensor, z_loss: float) -> tuple[Tensor, Tensor]:
    """``training_losses`` of several models at once: (M) and (M)."""
    return torch.vmap(lambda logits_BTV, targets_BT: training_losses(logits_BTV, targets_BT, z_loss))(
        logits_MBTV, targets_MBT
    )
