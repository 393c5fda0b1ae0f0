"""Forests scored by PyTorch: on a GPU, and where no C++ compiler is at hand.

B blocks    T rows of the largest block    C hidden size    V vocabulary    Q queries    R rows of all blocks
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from smidgen.evaluation.scoring.embedded import embedded_rows
from smidgen.evaluation.scoring.forest import Forest, Query
from smidgen.evaluation.scoring.precision import EXACT, Precision
from smidgen.model.decoder import Decoder
from smidgen.model.rope import rotary_angles

# Rows whose logits are held at once: 2,048 x 4,096 in float32 are 32 MiB.
HEAD_ROWS = 2048


class TorchScorer:
    """Scores forests on the device of the decoder's weights; blocks become rows of one padded batch.

    ``precision`` is that of products (autocast); logits and their softmax are in float32.
    """

    def __init__(self, decoder: Decoder, *, precision: Precision = EXACT) -> None:
        self._decoder = decoder
        self.precision = precision

    @torch.inference_mode()
    def score(self, queries: Sequence[Query], forest: Forest) -> tuple[np.ndarray, np.ndarray]:
        """Log-probability of every target in nats, and whether it is the most probable token."""
        device = self._decoder.embed_tokens.weight.device
        with torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            x_QC = self._hidden_states(list(queries), forest)
        target = torch.from_numpy(forest.target_token).to(device).long()
        bounds = torch.from_numpy(forest.query_targets)
        owner = torch.repeat_interleave(torch.arange(len(x_QC)), bounds.diff()).to(device)
        values, best = [], []
        for first in range(0, len(x_QC), HEAD_ROWS):
            logits_QV = self._decoder.logits(x_QC[first : first + HEAD_ROWS].float())
            mine = (owner >= first) & (owner < first + HEAD_ROWS)
            row, token = owner[mine] - first, target[mine]
            values.append(logits_QV[row, token] - logits_QV.logsumexp(dim=1)[row])
            best.append(logits_QV.argmax(dim=1)[row] == token)
        return torch.cat(values).cpu().numpy(), torch.cat(best).cpu().numpy()

    def _hidden_states(self, queries: list[Query], forest: Forest) -> Tensor:
        device = self._decoder.embed_tokens.weight.device
        block_R, place_R = _places(forest)
        block_R, place_R = block_R.to(device), place_R.to(device)
        x_RC = embedded_rows(self._decoder, queries, forest)
        mask_B1TT = _readable(forest).to(device)
        x_BTC = x_RC.new_zeros(*mask_B1TT.shape[::2], x_RC.shape[1])
        x_BTC[block_R, place_R] = x_RC
        position_BT = torch.zeros(x_BTC.shape[:2], dtype=torch.long, device=device)
        position_BT[block_R, place_R] = torch.from_numpy(forest.position).to(device).long()
        config = self._decoder.config
        rotation = rotary_angles(position_BT, config.head_dim, config.rope_theta)
        for layer in self._decoder.layers:
            x_BTC = layer(x_BTC, rotation, mask_B1TT)
        query_Q = torch.from_numpy(forest.query_row).to(device).long()
        return self._decoder.norm(x_BTC[block_R[query_Q], place_R[query_Q]])


def _row_bounds(forest: Forest) -> np.ndarray:
    starts = np.append(forest.segment_start, forest.rows)
    return starts[forest.block_segments]


def _places(forest: Forest) -> tuple[Tensor, Tensor]:
    """Block and place in it of every row."""
    bounds = _row_bounds(forest)
    block = np.repeat(np.arange(forest.blocks), np.diff(bounds))
    return torch.from_numpy(block), torch.from_numpy(np.arange(forest.rows) - bounds[block])


def _readable(forest: Forest) -> Tensor:
    """Which rows of its block each row may read: itself and what is above it, (B, 1, T, T)."""
    bounds = _row_bounds(forest)
    T = int(np.diff(bounds).max())
    mask_BTT = np.zeros((forest.blocks, T, T), dtype=bool)
    # Padding reads itself: a row that may read nothing would become NaN.
    mask_BTT[:, np.arange(T), np.arange(T)] = True
    for block in range(forest.blocks):
        for segment in range(forest.block_segments[block], forest.block_segments[block + 1]):
            start = forest.segment_start[segment] - bounds[block]
            end = start + forest.segment_length[segment]
            parent = forest.segment_parent[segment]
            if parent >= 0:
                last = forest.segment_start[parent] + forest.segment_length[parent] - 1 - bounds[block]
                mask_BTT[block, start:end] |= mask_BTT[block, last]
            mask_BTT[block, start:end, start:end] |= np.tri(end - start, dtype=bool)
    return torch.from_numpy(mask_BTT)[:, None]
