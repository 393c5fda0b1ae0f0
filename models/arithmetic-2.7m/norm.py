"""Root-mean-square normalisation (arXiv:1910.07467), the only kind these models use."""

import torch
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Scale each token to unit root mean square, then by a learned weight: (B, T, C) -> (B, T, C)."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x_BTC: Tensor) -> Tensor:
        # In float32 whatever the input, and rounded before the weight: the order of LlamaRMSNorm, to the bit.
        wide_BTC = x_BTC.float()
        scale_BT1 = torch.rsqrt(wide_BTC.square().mean(dim=-1, keepdim=True) + self.eps)
        return self.weight * (wide_BTC * scale_BT1).to(x_BTC.dtype)
