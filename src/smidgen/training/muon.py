"""Muon: momentum made orthogonal before it is added, for the matrices inside a network.

Source: Keller Jordan's description, https://kellerjordan.github.io/posts/muon/ ; equal to ``torch.optim.Muon``, which
older versions of PyTorch lack and which goes through the matrices one by one.

N matrices of one size    S short side    L long side
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from smidgen.training.device import has_fast_bfloat16

# Coefficients of the quintic iteration, and how often it runs (same source).
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
LEAST_NORM = 1e-7

Scale = Literal["jordan", "moonlight"]


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised by Newton-Schulz; weight decay is decoupled as in AdamW.

    ``scale`` "jordan" multiplies an update by sqrt(max(1, rows / columns)), "moonlight" by 0.2 sqrt(max(rows,
    columns)), which gives it the size of AdamW's (arXiv:2502.16982, section 2.2). Where ``found_inf`` is set to a
    tensor, as on PyTorch's fused optimisers, a step changes nothing when it holds 1: the choice is made on the
    device.
    """

    def __init__(
        self, parameters: Sequence[Tensor], *, lr: float, weight_decay: float, momentum: float, scale: Scale
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "scale": scale})
        self.found_inf: Tensor | None = None

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for matrices in _of_one_size([matrix for matrix in group["params"] if matrix.grad is not None]):
                self._update(matrices, group)

    def _update(self, matrices: list[Tensor], group: dict[str, Any]) -> None:
        momenta = [self._momentum(matrix) for matrix in matrices]
        weights_NSL, momentum_NSL = _stacked(matrices), _stacked(momenta)
        gradient_NSL = _stacked([matrix.grad for matrix in matrices if matrix.grad is not None])
        new_momentum_NSL = momentum_NSL.lerp(gradient_NSL, 1 - group["momentum"])
        update_NSL = orthogonalised(gradient_NSL.lerp(new_momentum_NSL, group["momentum"]))
        size = group["lr"] * update_scale(matrices[0].shape, group["scale"])
        new_weights_NSL = weights_NSL * (1 - group["lr"] * group["weight_decay"]) - size * update_NSL
        if self.found_inf is not None:
            keep = self.found_inf.bool()
            new_momentum_NSL = torch.where(keep, momentum_NSL, new_momentum_NSL)
            new_weights_NSL = torch.where(keep, weights_NSL, new_weights_NSL)
        _write_back(momenta, new_momentum_NSL)
        _write_back(matrices, new_weights_NSL)

    def _momentum(self, matrix: Tensor) -> Tensor:
        state = self.state[matrix]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        return state["momentum_buffer"]


def orthogonalised(x_NSL: Tensor) -> Tensor:
    """Nearly U V^T of each matrix U S V^T: singular values end between about 0.7 and 1.2. All at once, in float32.

    Computed in bfloat16 where that is fast, as in the source.
    """
    a, b, c = NEWTON_SCHULZ
    x_NSL = x_NSL.to(torch.bfloat16 if has_fast_bfloat16(x_NSL.device) else torch.float32)
    # Below 1 for the largest singular value, because the norm of a matrix is at least that.
    x_NSL = x_NSL / x_NSL.norm(dim=(-2, -1), keepdim=True).clamp(min=LEAST_NORM)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram_NSS = x_NSL @ x_NSL.mT
        polynomial_NSS = torch.baddbmm(gram_NSS, gram_NSS, gram_NSS, beta=b, alpha=c)
        x_NSL = torch.baddbmm(x_NSL, polynomial_NSS, x_NSL, beta=a)
    return x_NSL.float()


def update_scale(shape: torch.Size, scale: Scale) -> float:
    rows, columns = shape
    return math.sqrt(max(1, rows / columns)) if scale == "jordan" else 0.2 * math.sqrt(max(rows, columns))


def _of_one_size(matrices: list[Tensor]) -> list[list[Tensor]]:
    groups: dict[torch.Size, list[Tensor]] = {}
    for matrix in matrices:
        groups.setdefault(matrix.shape, []).append(matrix)
    return list(groups.values())


def _lying(matrix: Tensor) -> Tensor:
    """A tall matrix on its side, where its products with itself are smaller."""
    return matrix.T if matrix.shape[0] > matrix.shape[1] else matrix


def _stacked(matrices: Sequence[Tensor]) -> Tensor:
    return torch.stack([_lying(matrix) for matrix in matrices])


def _write_back(matrices: Sequence[Tensor], values_NSL: Tensor) -> None:
    torch._foreach_copy_([_lying(matrix) for matrix in matrices], list(values_NSL.unbind()))
