import random

import pytest

from smidgen.evaluation import decided
from smidgen.evaluation.decided import Contest, decide
from smidgen.evaluation.log_likelihood import log_likelihoods, supports_bfloat16
from smidgen.evaluation.request import Request


@pytest.fixture
def quiz():
    """3,000 items of two to four endings of different lengths, by their sum and by their mean."""
    draw = random.Random(4)
    requests, contests = [], []
    for _ in range(3000):
        context = tuple(draw.choices(range(61), k=draw.randint(1, 7)))
        endings = [tuple(draw.choices(range(61), k=draw.randint(1, 5))) for _ in range(draw.randint(2, 4))]
        place = range(len(requests), len(requests) + len(endings))
        requests += [Request(context, ending) for ending in endings]
        means = tuple(float(len(ending)) for ending in endings)
        contests.append(Contest(requests=place, divisors=((1.0,) * len(endings), means)))
    return requests, contests


def choices(likelihoods, contests):
    values = [likelihood.log_probability for likelihood in likelihoods]
    return [
        max(contest.requests, key=lambda index: values[index] / divisors[index - contest.requests.start])
        for contest in contests
        for divisors in contest.divisors
    ]


def test_choices_are_those_of_float32_though_most_items_are_not(decoder, quiz):
    requests, contests = quiz
    if not supports_bfloat16(decoder):
        pytest.skip("this processor does not multiply bfloat16")
    decision = decide(decoder, requests, contests)
    assert decided.CALIBRATION_ITEMS <= decision.exact_items < len(contests)
    assert 0 < decision.error_nats < 0.1
    assert choices(decision.likelihoods, contests) == choices(log_likelihoods(decoder, requests), contests)


def test_without_safety_some_choices_would_differ(decoder, quiz, monkeypatch):
    """So that the test above can fail."""
    requests, contests = quiz
    if not supports_bfloat16(decoder):
        pytest.skip("this processor does not multiply bfloat16")
    rough = log_likelihoods(decoder, requests, precision="bfloat16")
    assert choices(rough, contests) != choices(log_likelihoods(decoder, requests), contests)


def test_few_items_are_all_scored_in_float32(decoder, quiz):
    requests, contests = quiz
    few = contests[: 2 * decided.CALIBRATION_ITEMS]
    mine = requests[: few[-1].requests.stop]
    decision = decide(decoder, mine, few)
    assert decision.exact_items == len(few)
    assert decision.error_nats is None
    assert decision.likelihoods == log_likelihoods(decoder, mine)


def test_a_uniform_model_is_a_tie_everywhere_and_so_scored_in_float32(uniform_decoder, quiz):
    requests, contests = quiz
    decision = decide(uniform_decoder, requests, contests)
    assert decision.exact_items == len(contests)
