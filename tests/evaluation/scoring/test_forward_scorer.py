"""Right-padded batches give what the decoder gives each text alone."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from smidgen.evaluation.scoring import forward_scorer
from smidgen.evaluation.scoring.forest import Query, plant, sorted_order
from smidgen.evaluation.scoring.forward_scorer import ForwardScorer
from smidgen.evaluation.scoring.scorer import scorer_for
from smidgen.native.location import default_cache

from .conftest import made


class Plain(nn.Module):
    """A decoder that is only called, and remembers the shapes it was called with."""

    def __init__(self, decoder):
        super().__init__()
        self.decoder, self.config, self.shapes = decoder, decoder.config, []

    def forward(self, ids_BT):
        self.shapes.append(tuple(ids_BT.shape))
        return self.decoder(ids_BT)


@pytest.fixture
def plain():
    return Plain(made(xsa=True))


def queries_with_common_beginnings() -> list[Query]:
    draw = random.Random(1)
    queries = []
    for _ in range(11):
        trunk = draw.choices(range(149), k=draw.randint(1, 30))
        for _ in range(draw.randint(1, 4)):
            ids = (*trunk, *draw.choices(range(149), k=draw.randint(1, 9)))
            queries.append(Query(ids, draw.randint(1, len(ids) - 1)))
    # The same text twice, and one that only its last token distinguishes.
    queries += [queries[3], Query((*queries[3].token_ids[:-1], 4), 1)]
    return [queries[index] for index in sorted_order(queries)]


@pytest.mark.parametrize("batch_tokens", [1, 60, 10_000])
def test_a_forest_gives_what_each_text_gives_alone(plain, monkeypatch, batch_tokens):
    monkeypatch.setattr(forward_scorer, "LOGITS", 149 * batch_tokens)
    queries = queries_with_common_beginnings()
    forest = plant(queries, block_rows=50)
    log_probability, is_best = ForwardScorer(plain).score(queries, forest)
    assert all(rows == 1 or rows * length <= batch_tokens for rows, length in plain.shapes)
    for number, query in enumerate(queries):
        mine = forest.target_of[forest.request_targets[number] : forest.request_targets[number + 1]]
        ids = torch.tensor(query.token_ids)
        with torch.no_grad():
            logprob_TV = plain.decoder(ids[None, :-1])[0].double().log_softmax(-1)[-query.asked :]
        targets = ids[-query.asked :]
        np.testing.assert_allclose(log_probability[mine], logprob_TV.gather(1, targets[:, None])[:, 0], atol=2e-5)
        np.testing.assert_array_equal(is_best[mine], logprob_TV.argmax(1) == targets)


def test_texts_that_differ_only_in_their_last_token_are_read_once(plain):
    queries = [Query((7, 8, 9, last), 1) for last in (1, 2, 3, 5)]
    ForwardScorer(plain).score(queries, plant(queries, block_rows=50))
    assert plain.shapes == [(1, 3)]


def test_a_decoder_that_is_not_ours_is_scored_by_its_forward_pass(plain):
    assert isinstance(scorer_for(plain, cache=default_cache())[0], ForwardScorer)
    assert not isinstance(scorer_for(plain.decoder, cache=default_cache())[0], ForwardScorer)


def test_bfloat16_is_not_claimed_on_a_processor(plain):
    assert scorer_for(plain, cache=default_cache(), precision="bfloat16")[0].precision == "float32"


def test_bfloat16_is_near_and_is_not_float32(plain):
    queries = queries_with_common_beginnings()
    forest = plant(queries, block_rows=50)
    exact, quick = (
        ForwardScorer(plain, precision=each).score(queries, forest)[0] for each in ("float32", "bfloat16")
    )
    error = np.abs(quick - exact)
    assert 1e-4 < error.max() < 0.5
