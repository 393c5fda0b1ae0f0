"""Requests scored by any module that gives logits: models of others.

B reads of a batch    T tokens of the longest    V vocabulary    N targets
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from smidgen.evaluation.scoring.forest import Forest, Query
from smidgen.evaluation.scoring.precision import EXACT, Precision

# Logits held at once: 64 Mi in float32 are 256 MiB.
LOGITS = 2**26

Read = tuple[int, ...]


class ForwardScorer:
    """Scores with a ``decoder`` whose ``forward(ids_BT)`` gives ``logits_BTV`` and that has ``config.vocab_size``.

    Reads are padded on the right, which a causal model does not see. Tokens that texts have in common are read
    again for each, except where all but the last token is the same. ``precision`` is that of products (autocast);
    the softmax is in float32.
    """

    def __init__(self, decoder: nn.Module, *, precision: Precision = EXACT) -> None:
        self._decoder = decoder
        config: Any = decoder.config
        self._batch_tokens = LOGITS // config.vocab_size
        self.precision = precision

    @torch.inference_mode()
    def score(self, queries: Sequence[Query], forest: Forest) -> tuple[np.ndarray, np.ndarray]:
        """Log-probability of every target in nats, and whether it is the most probable token."""
        log_probability = np.empty(len(forest.target_token), dtype=np.float32)
        is_best = np.empty(len(log_probability), dtype=bool)
        asking: dict[Read, list[int]] = {}
        for number, query in enumerate(queries):
            # The last token is asked for but never read.
            asking.setdefault(query.token_ids[:-1], []).append(number)
        for reads in _batches(asking, self._batch_tokens):
            asked = [(row, number) for row, read in enumerate(reads) for number in asking[read]]
            slots_N = np.concatenate([_slots(forest, number) for _, number in asked])
            scored = self._scored(reads, [(row, queries[number]) for row, number in asked])
            log_probability[slots_N], is_best[slots_N] = scored
        return log_probability, is_best

    def _scored(self, reads: Sequence[Read], asked: Sequence[tuple[int, Query]]) -> tuple[np.ndarray, np.ndarray]:
        """The same for the targets of some queries, each with the row of what it reads."""
        device = next(self._decoder.parameters()).device
        ids_BT = pad_sequence([torch.tensor(read) for read in reads], batch_first=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            logits_BTV = self._decoder(ids_BT.to(device))
        row_N = [row for row, query in asked for _ in range(query.asked)]
        place_N = [place for _, query in asked for place in _places(query)]
        target_N = torch.tensor([token for _, query in asked for token in query.token_ids[-query.asked :]]).to(device)
        logits_NV = logits_BTV[row_N, place_N].float()
        value_N = logits_NV.gather(1, target_N[:, None])[:, 0] - logits_NV.logsumexp(dim=1)
        return value_N.cpu().numpy(), (logits_NV.argmax(dim=1) == target_N).cpu().numpy()


def _places(query: Query) -> range:
    """Where the tokens stand that predict what is asked."""
    return range(len(query.token_ids) - query.asked - 1, len(query.token_ids) - 1)


def _slots(forest: Forest, number: int) -> np.ndarray:
    """Where the targets of a request belong."""
    return forest.target_of[forest.request_targets[number] : forest.request_targets[number + 1]]


def _batches(reads: Iterable[Read], tokens: int) -> Iterator[list[Read]]:
    """Reads of about the same length, at most ``tokens`` together with their padding, or one that is longer."""
    batch: list[Read] = []
    for read in sorted(reads, key=len):
        if batch and (len(batch) + 1) * len(read) > tokens:
            yield batch
            batch = []
        batch.append(read)
    if batch:
        yield batch
