"""What the shards of a run say about its design."""

import numpy as np
import pytest

from smidgen.data import usage
from smidgen.data.training_data import open_data
from smidgen.data.usage import measure_usage


@pytest.fixture
def data(finished_run):
    return open_data(finished_run.data, None)


def test_lengths_of_documents_are_weighted_as_in_training(data):
    expected = 0.0
    for name, shard in data.train.items():
        # The token that ends a document is part of it.
        lengths = [len(shard.document(number)) + 1 for number in range(len(shard.document_offsets))]
        expected += data.index["shares"][name] * np.mean(lengths)
    assert measure_usage(data).document_tokens == round(expected)


def test_every_id_is_counted_over_all_sources(data):
    tokens = np.concatenate([shard.tokens for shard in data.train.values()])
    found = measure_usage(data)
    assert found.tokens == len(tokens)
    assert len(found.counts) == data.index["vocab_size"]
    assert all(count == (tokens == token).sum() for token, count in enumerate(found.counts))


def test_of_large_sources_only_the_beginning_is_counted(data, monkeypatch):
    monkeypatch.setattr(usage, "MOST_TOKENS", 100 * len(data.train))
    first = np.concatenate([shard.tokens[:100] for shard in data.train.values()])
    found = measure_usage(data)
    assert found.tokens == len(first)
    assert np.array_equal(found.counts, np.bincount(first, minlength=len(found.counts)))
