"""Changes of the odds that the completion API has and ``SamplingSettings`` has not.

V vocabulary
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Penalties:
    """``frequency`` is taken from a token's logit for each time that it was written after the prompt, ``presence``
    once; ``biases`` are added (https://platform.openai.com/docs/api-reference/completions). The defaults change
    nothing.
    """

    presence: float = 0.0
    frequency: float = 0.0
    biases: tuple[tuple[int, float], ...] = ()

    def apply(self, logits_1V: Tensor, written: Sequence[int]) -> Tensor:
        """(1, V) -> (1, V), given the ids written so far."""
        if self.biases:
            ids, biases = zip(*self.biases, strict=True)
            logits_1V = logits_1V.index_add(1, torch.tensor(ids), torch.tensor([biases]))
        if written and (self.presence or self.frequency):
            ids_U, counts_U = torch.tensor(written).unique(return_counts=True)
            taken_U = self.presence + self.frequency * counts_U.to(logits_1V.dtype)
            logits_1V = logits_1V.index_add(1, ids_U, -taken_U[None])
        return logits_1V
