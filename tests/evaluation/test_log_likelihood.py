import math
import random

import pytest
import torch

from smidgen.errors import Interrupted
from smidgen.evaluation import log_likelihood
from smidgen.evaluation.log_likelihood import log_likelihoods, token_log_probabilities
from smidgen.evaluation.request import Request
from smidgen.evaluation.scoring.scorer import Layout, scorer_for


def alone(decoder, request, window=16):
    """The definition, one request at a time."""
    ids = torch.tensor([*request.context, *request.continuation][-(window + 1) :])
    with torch.no_grad():
        logprob = decoder(ids[None, :-1])[0].double().log_softmax(-1)
    count = len(request.continuation)
    return sum(float(logprob[len(ids) - 1 - count + k, ids[len(ids) - count + k]]) for k in range(count))


@pytest.fixture
def requests():
    draw = random.Random(1)
    return [
        Request(
            tuple(draw.choices(range(61), k=draw.randint(1, 20))),
            tuple(draw.choices(range(61), k=draw.randint(1, 9))),
        )
        for _ in range(60)
    ]


def test_batches_give_what_each_request_gives_alone(decoder, requests):
    batched = log_likelihoods(decoder, requests)
    for request, result in zip(requests, batched, strict=True):
        assert result.log_probability == pytest.approx(alone(decoder, request), abs=1e-5)


@pytest.mark.parametrize("block_rows", [1, 20, 10_000])
@pytest.mark.parametrize("chunk_rows", [1, 90, 10_000])
def test_the_size_of_batches_and_the_order_change_nothing(decoder, requests, block_rows, chunk_rows, monkeypatch):
    expected = [result.log_probability for result in log_likelihoods(decoder, requests)]
    layout = Layout(block_rows=block_rows, chunk_rows=chunk_rows)
    monkeypatch.setattr(
        log_likelihood, "scorer_for", lambda *args, **options: scorer_for(*args, **options)._replace(layout=layout)
    )
    reversed_results = log_likelihoods(decoder, requests[::-1])[::-1]
    assert [result.log_probability for result in reversed_results] == pytest.approx(expected, abs=1e-5)


def test_contexts_are_cut_on_the_left_and_counted(decoder, requests):
    results = log_likelihoods(decoder, requests)
    for request, result in zip(requests, results, strict=True):
        assert result.truncated == (len(request.context) + len(request.continuation) > 17)
    assert any(result.truncated for result in results)
    assert not all(result.truncated for result in results)


def test_a_longer_window_reads_more(decoder):
    request = Request(tuple(range(30)), (3, 4))
    [short], [long] = log_likelihoods(decoder, [request]), log_likelihoods(decoder, [request], max_length=40)
    assert short.truncated
    assert not long.truncated
    assert long.log_probability == pytest.approx(alone(decoder, request, 40), abs=1e-5)


def test_a_uniform_model_gives_every_token_the_same(uniform_decoder):
    [result] = log_likelihoods(uniform_decoder, [Request((1, 2), (3, 4, 5))])
    assert result.log_probability == pytest.approx(-3 * math.log(61), abs=1e-6)


@pytest.mark.parametrize("request_", [Request((), (1,)), Request((1,), ())])
def test_empty_parts_are_refused(decoder, request_):
    with pytest.raises(ValueError, match="at least one token"):
        log_likelihoods(decoder, [request_])


def test_a_continuation_longer_than_the_window_is_scored_whole_and_counted(decoder):
    request = Request((7, 1), tuple(range(20)))
    [result] = log_likelihoods(decoder, [request])
    assert result.truncated
    assert result.log_probability == pytest.approx(alone(decoder, request, 20), abs=1e-5)


def test_greedy_means_that_every_token_is_the_most_probable_one(decoder):
    ids = [5, 9]
    with torch.no_grad():
        for _ in range(4):
            ids.append(int(decoder(torch.tensor([ids]))[0, -1].argmax()))
    wrong = [*ids[:-1], (ids[-1] + 1) % 61]
    best, spoilt = log_likelihoods(decoder, [Request(tuple(row[:2]), tuple(row[2:])) for row in (ids, wrong)])
    assert best.greedy
    assert not spoilt.greedy


def test_progress_counts_up_to_all_requests(decoder, requests):
    counts = []
    log_likelihoods(decoder, requests, on_progress=counts.append)
    assert counts == sorted(counts)
    assert counts[-1] == len(requests)


def test_a_stop_is_obeyed(decoder, requests):
    with pytest.raises(Interrupted):
        log_likelihoods(decoder, requests, stop_requested=lambda: True)


def test_token_log_probabilities_cover_every_token_but_the_first(decoder):
    ids = list(range(40))
    values = token_log_probabilities(decoder, ids)
    assert values[0] is None
    assert len(values) == 40
    [first] = log_likelihoods(decoder, [Request(tuple(ids[:1]), tuple(ids[1:17]))])
    assert sum(values[1:17]) == pytest.approx(first.log_probability, abs=1e-4)
