"""Averages of a run's weights, which are evaluated and exported in place of the last ones."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from smidgen.model.decoder import Decoder


class ExponentialAverage:
    """An exponential moving average of the weights over steps, on their device and without waiting for it."""

    def __init__(self, decoder: Decoder, decay: float) -> None:
        self._weights = dict(decoder.named_parameters())
        self._decay = decay
        self.tensors: dict[str, Tensor] = {name: weight.detach().clone() for name, weight in self._weights.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step number ``step``, counted from 0.

        The decay rises as (1 + step) / (10 + step), so that the average forgets the initial weights early
        (``tf.train.ExponentialMovingAverage``). A skipped step counts like one that changed nothing.
        """
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.tensors.values()), list(self._weights.values()), 1 - decay)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        for name, tensor in self.tensors.items():
            tensor.copy_(tensors[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside the block the decoder computes with the averaged weights."""
        weights: list[Tensor] = list(self._weights.values())
        averages = list(self.tensors.values())
        with torch.no_grad():
            kept = [weight.clone() for weight in weights]
            torch._foreach_copy_(weights, averages)
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(weights, kept)


def mean_of(models: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The plain mean of several sets of weights, added in float64."""
    return {
        name: torch.stack([model[name].double().cpu() for model in models]).mean(dim=0).to(tensor.dtype)
        for name, tensor in models[0].items()
    }
