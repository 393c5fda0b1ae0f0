import random

import pytest

from smidgen.evaluation import decided
from smidgen.evaluation.decided import Contest, decide
from smidgen.evaluation.log_likelihood import log_likelihoods
from smidgen.evaluation.request import Request
from smidgen.evaluation.scoring import scorer as scorer_module
from smidgen.evaluation.scoring.scorer import rough_scorings
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.native.location import default_cache


@pytest.fixture(params=[24, 32], ids=["pairs of inputs", "rows of int8"])
def decoder(request):
    """Rows of 24 are too narrow for int8, so that bfloat16 is the roughest precision there."""
    config = ModelConfig(
        vocab_size=61, hidden_size=request.param, num_layers=2, num_heads=2, num_kv_heads=1, intermediate_size=48,
        context_length=16, xsa=True, initializer_range=0.2,
    )  # fmt: skip
    made = Decoder(config).eval()
    initialise(made, 3)
    return made


@pytest.fixture(autouse=True)
def _every_format_counts_as_faster(monkeypatch):
    """What is compared is what is chosen, which does not depend on the processor that the tests run on."""
    monkeypatch.setattr(scorer_module, "is_bfloat16_faster", lambda: True)


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
    if not rough_scorings(decoder, cache=default_cache()):
        pytest.skip("this processor has nothing rougher than float32")
    decision = decide(decoder, requests, contests)
    assert sum(decision.items.values()) == len(contests)
    assert decided.FEWEST_CALIBRATION_ITEMS < decision.items["float32"] < len(contests) / 4
    assert all(0 < error < 0.2 for error in decision.error_nats.values())
    assert list(decision.error_nats) == [each for each in decision.items if each != "float32"]
    assert choices(decision.likelihoods, contests) == choices(log_likelihoods(decoder, requests), contests)


def test_without_safety_some_choices_would_differ(decoder, quiz, monkeypatch):
    """So that the test above can fail."""
    requests, contests = quiz
    if not rough_scorings(decoder, cache=default_cache()):
        pytest.skip("this processor has nothing rougher than float32")
    for scoring in rough_scorings(decoder, cache=default_cache()):
        rough = log_likelihoods(decoder, requests, scoring=scoring)
        assert choices(rough, contests) != choices(log_likelihoods(decoder, requests), contests)


def test_bfloat16_is_left_out_where_it_is_slower(decoder, monkeypatch):
    monkeypatch.setattr(scorer_module, "is_bfloat16_faster", lambda: False)
    assert "bfloat16" not in [scoring.scorer.precision for scoring in rough_scorings(decoder, cache=default_cache())]


def test_few_items_are_all_scored_in_float32(decoder, quiz):
    requests, contests = quiz
    few = contests[: 4 * decided.FEWEST_CALIBRATION_ITEMS]
    mine = requests[: few[-1].requests.stop]
    decision = decide(decoder, mine, few)
    assert decision.items == {"float32": len(few)}
    assert decision.error_nats == {}
    assert decision.likelihoods == log_likelihoods(decoder, mine)


def test_a_uniform_model_is_a_tie_everywhere_and_so_scored_in_float32(uniform_decoder, quiz):
    requests, contests = quiz
    decision = decide(uniform_decoder, requests, contests)
    assert decision.items["float32"] == len(contests)
