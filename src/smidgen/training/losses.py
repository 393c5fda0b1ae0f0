"""What training minimises: the cross entropy of the next token, and the z-loss where the recipe has one.

B sequences    T tokens    V vocabulary    M models
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def training_losses(
    logits_BTV: Tensor, targets_BT: Tensor, z_loss: float, weights_BT: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """What gradients are taken of, and the mean cross entropy alone in nats per token, which is what is reported.

    ``weights_BT`` multiply the cross entropy of each token before the mean over all tokens is taken, whatever their
    sum: a step then does not depend on how it is cut into passes. The z-loss is ``z_loss`` times the mean of log(Z)
    squared, Z being the sum of the softmax; it keeps logits from drifting away from 0 (PaLM, arXiv:2204.02311,
    section 5).
    """
    logits_NV = logits_BTV.flatten(0, 1).float()
    if weights_BT is None:
        objective = cross_entropy = F.cross_entropy(logits_NV, targets_BT.flatten())
    else:
        cross_entropy_N = F.cross_entropy(logits_NV, targets_BT.flatten(), reduction="none")
        objective, cross_entropy = (weights_BT.flatten() * cross_entropy_N).mean(), cross_entropy_N.mean()
    if z_loss:
        objective = objective + z_loss * logits_NV.logsumexp(dim=1).square().mean()
    return objective, cross_entropy.detach()


def losses_of_each(
    logits_MBTV: Tensor, targets_MBT: Tensor, z_loss: float, weights_MBT: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """``training_losses`` of several models at once: (M) and (M)."""
    models = None if weights_MBT is None else 0
    return torch.vmap(training_losses, in_dims=(0, 0, None, models))(logits_MBTV, targets_MBT, z_loss, weights_MBT)
