"""The factor on the loss that keeps float16 gradients from becoming zero, kept on the device."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

# As in torch.amp.GradScaler: start high, halve on overflow, double after this many steps without one.
FIRST_SCALE = 2.0**16
GROWTH_STEPS = 2000


class LossScale:
    """As ``torch.amp.GradScaler``, which waits for the device in every step of an optimiser that is not fused."""

    def __init__(self, device: torch.device) -> None:
        self.scale = torch.full((), FIRST_SCALE, device=device)
        self.good_steps = torch.zeros((), device=device)

    def scaled(self, loss: Tensor) -> Tensor:
        return loss * self.scale

    def unscale(self, gradients: Sequence[Tensor]) -> None:
        """Divide gradients by the factor; what overflowed stays infinite or NaN and shows in their norm."""
        torch._foreach_mul_(list(gradients), self.scale.reciprocal())

    def adapt(self, overflowed: Tensor) -> None:
        """Follow a step; ``overflowed`` is 1.0 where its gradients were not finite."""
        bad = overflowed.bool()
        good_steps = torch.where(bad, 0.0, self.good_steps + 1)
        grows = good_steps >= GROWTH_STEPS
        self.scale = torch.where(bad, self.scale * 0.5, torch.where(grows, self.scale * 2, self.scale))
        self.good_steps = torch.where(grows, 0.0, good_steps)

    def state(self) -> dict[str, float]:
        """Plain numbers for a checkpoint. Waits for the device."""
        return {"scale": float(self.scale), "good_steps": float(self.good_steps)}

    def restore(self, state: dict[str, Any]) -> None:
        self.scale.fill_(state["scale"])
        self.good_steps.fill_(state["good_steps"])
