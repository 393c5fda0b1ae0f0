"""The weights as llama.cpp expects them."""

import numpy as np

from smidgen.design.gguf.names import gguf_name
from smidgen.model.decoder import Decoder


def named_weights(decoder: Decoder) -> dict[str, np.ndarray]:
    """GGUF's name -> numbers in float32; a tied head is the embedding and not listed."""
    config = decoder.config
    heads = {"q_proj": config.num_heads, "k_proj": config.num_kv_heads}
    found = {}
    for name, tensor in decoder.state_dict().items():
        values = tensor.detach().float().cpu().numpy()
        module = name.rpartition(".")[0].rpartition(".")[2]
        found[gguf_name(name)] = interleaved(values, heads[module]) if module in heads else values
    return found


def interleaved(rows: np.ndarray, heads: int) -> np.ndarray:
    """Within each head from half-split rotation, where row r turns with row r + D/2, to neighbours turning together.

    Works for a matrix (H D, C) and for a bias (H D,).
    """
    halves = rows.reshape(heads, 2, len(rows) // heads // 2, *rows.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows.shape))
