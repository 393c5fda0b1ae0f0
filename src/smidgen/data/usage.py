"""What the data of a run say about its design: how long documents are, and which ids they use."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smidgen.data.training_data import TrainingData

# Counted in less than a second; an entry that so much text never uses is as good as unused.
MOST_TOKENS = 50_000_000


@dataclass(frozen=True, kw_only=True)
class DataUsage:
    """``document_tokens`` is the mean length of a document, sources weighted as in training; ``counts`` (V,) tell how
    often each id occurs in the first ``tokens`` training tokens of all sources.
    """

    document_tokens: int
    tokens: int
    counts: npt.NDArray[np.int64]


def measure_usage(data: TrainingData) -> DataUsage:
    """Read the training side of every source, of a large one only the beginning."""
    counts_V = np.zeros(data.index["vocab_size"], dtype=np.int64)
    for shard in data.train.values():
        counts_V += np.bincount(shard.tokens[: MOST_TOKENS // len(data.train)], minlength=len(counts_V))
    mean_lengths = {name: len(shard.tokens) / len(shard.document_offsets) for name, shard in data.train.items()}
    length = sum(data.index["shares"][name] * tokens for name, tokens in mean_lengths.items())
    return DataUsage(document_tokens=round(length), tokens=int(counts_V.sum()), counts=counts_V)
