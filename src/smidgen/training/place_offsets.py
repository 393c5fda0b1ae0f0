"""How far the places of a training sequence's digits are shifted, so that places beyond the data's are learned.

Abacus embeddings (arXiv:2405.17399) draw one offset for each batch; here each sample has its own, a pure function of
seed and sample, so that a run that is stopped, or cut otherwise into ranks, goes on with the same ones. S samples
"""

from hashlib import blake2b

import torch
from torch import Tensor


def place_offsets(samples: range, *, largest: int, seed: int) -> Tensor:
    """The offset of each sample, 0 to ``largest`` equally often: (S,)."""
    words = (_word(f"place offset of sample {sample} of seed {seed}") for sample in samples)
    return torch.tensor([word % (largest + 1) for word in words])


def _word(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
