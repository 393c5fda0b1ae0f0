import math

import numpy as np
import pytest
from scipy import stats

from smidgen.lab import paired
from smidgen.lab.metric import Metric
from smidgen.lab.paired import Pairs, difference, interval, p_value

ACC = Metric("acc")


def pairs_of(a, b, weights=None):
    return Pairs(
        a=np.array(a, dtype=float),
        b=np.array(b, dtype=float),
        weights=np.ones(len(a)) if weights is None else np.array(weights, dtype=float),
    )


def test_right_and_wrong_are_tested_by_mcnemar_exactly(credits_of):
    a, b = credits_of(11, 3, 12, 5)
    found = difference(pairs_of(a, b), ACC)
    # Two-sided binomial tail of 3 in 15: 2 (1 + 15 + 105 + 455) / 2^15.
    assert found.p == pytest.approx(2 * 576 / 2**15)
    assert found.p == pytest.approx(stats.binomtest(3, 15).pvalue)
    assert (found.n, found.discordant, found.test) == (31, 15, "exact McNemar")
    assert (found.value_a, found.value_b) == (pytest.approx(14 / 31), pytest.approx(23 / 31))


def test_swaps_agree_with_every_swap_enumerated():
    differences = np.array([0.5, -1.0, 1.0, 1 / 3, 1.0, 0.5, -0.5, 0.0, 1.0])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 9)).reshape(9, -1)
    sums = np.abs(signs.T @ differences)
    exact = np.mean(sums >= abs(differences.sum()) - 1e-9)
    found, test = p_value(differences)
    assert test == "paired swaps"
    assert found == pytest.approx(exact, abs=0.01)


def test_swaps_and_mcnemar_agree_where_both_apply():
    differences = np.array([1.0] * 40 + [-1.0] * 22 + [0.0] * 100)
    exact, _ = p_value(differences)
    almost_equal = differences * np.linspace(1, 1 + 1e-9, len(differences))
    assert p_value(almost_equal)[0] == pytest.approx(exact, abs=0.01)


def test_models_that_agree_everywhere_are_not_told_apart():
    found = difference(pairs_of([1, 0, 1, 1], [1, 0, 1, 1]), ACC)
    assert found.p == 1.0
    # With 4 items a true rate of disagreement of 1 - 0.05^(1/4) = 0.527 would still be likely to show none.
    assert (found.low, found.high) == (pytest.approx(-0.5271, abs=1e-4), pytest.approx(0.5271, abs=1e-4))


def test_a_ratio_is_of_sums_and_its_interval_holds_the_difference():
    nats_a, nats_b, size = [300.0, 80.0, 500.0, 45.0], [270.0, 79.0, 460.0, 44.0], [110, 30, 170, 20]
    found = difference(pairs_of(nats_a, nats_b, size), Metric("bits_per_byte"))
    assert found.value_a == pytest.approx(925 / 330 / math.log(2))
    assert found.value_b == pytest.approx(853 / 330 / math.log(2))
    assert found.low < found.value_b - found.value_a < found.high < 0


def test_the_interval_repeats():
    generator = np.random.default_rng(5)
    pairs = pairs_of(generator.random(70), generator.random(70))
    assert interval(pairs, ACC) == interval(pairs, ACC)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (([1], [0]), "they have 1 items in common"),
        (([1, 0], [0, 0, 1]), "differ in number"),
        (([1, 0], [0, 0], [0, 0]), "empty"),
    ],
)
def test_what_cannot_be_paired_is_refused(pairs, message):
    with pytest.raises(ValueError, match=message):
        pairs_of(*pairs)


@pytest.fixture
def simulated():
    """Items of two models with true accuracies that differ by 4 points, 2,000 times."""
    generator = np.random.default_rng(11)
    only_a, only_b, items = 0.13, 0.17, 400
    counts = generator.multinomial(items, [only_a, only_b, 1 - only_a - only_b], size=2000)
    return [np.repeat([-1.0, 1.0, 0.0], count) for count in counts], only_b - only_a


def test_intervals_cover_the_truth_in_95_of_100_comparisons(simulated, monkeypatch):
    # 2,000 resamples instead of 10,000 move a bound by a few hundredths of the interval's width.
    monkeypatch.setattr(paired, "BOOTSTRAP_RESAMPLES", 2000)
    samples, truth = simulated
    covered = 0
    for differences in samples:
        low, high = interval(pairs_of(np.zeros(len(differences)), differences), ACC)
        covered += low <= truth <= high
    # One standard error of a share of 2,000 is half a point.
    assert 0.94 <= covered / len(samples) <= 0.96


def test_equal_models_are_told_apart_in_5_of_100_comparisons_at_most():
    generator = np.random.default_rng(12)
    counts = generator.multinomial(400, [0.15, 0.15, 0.7], size=2000)
    found = [p_value(np.repeat([-1.0, 1.0, 0.0], count))[0] for count in counts]
    assert 0.02 < np.mean(np.array(found) < 0.05) <= 0.06


def test_equal_models_are_told_apart_by_documents_in_5_of_100_comparisons(monkeypatch):
    monkeypatch.setattr(paired, "SWAPS", 1000)
    generator = np.random.default_rng(13)
    size = generator.lognormal(8, 0.6, size=(1000, 62))
    noise = size * generator.normal(0, 0.05, size=(1000, 62))
    found = [p_value(differences)[0] for differences in noise]
    assert 0.03 < np.mean(np.array(found) < 0.05) < 0.07


def test_the_items_needed_give_four_in_five_verdicts(credits_of):
    a, b = credits_of(50, 16, 24, 110)
    needed = difference(pairs_of(a, b), ACC).needed()
    # Connor 1987 by hand, discordance 0.2, effect 0.04: ((1.95996 x 0.44721 + 0.84162 x 0.44542) / 0.04)^2 = 978.7.
    assert needed == 979
    counts = np.random.default_rng(14).multinomial(needed, [0.08, 0.12, 0.8], size=2000)
    wins = [p_value(np.repeat([-1.0, 1.0, 0.0], count))[0] < 0.05 for count in counts]
    assert 0.76 < np.mean(wins) < 0.84


def test_the_documents_needed_give_four_in_five_verdicts(monkeypatch):
    monkeypatch.setattr(paired, "SWAPS", 1000)
    monkeypatch.setattr(paired, "BOOTSTRAP_RESAMPLES", 500)
    generator = np.random.default_rng(15)

    def documents(shape):
        size = generator.lognormal(7, 0.5, size=shape)
        return size, size * generator.normal(-0.01, 0.05, size=shape)

    size, nats = documents(8000)
    needed = difference(pairs_of(np.zeros(len(nats)), nats, size), Metric("bits_per_byte")).needed()
    _, changes = documents((500, needed))
    assert 0.74 < np.mean([p_value(row)[0] < 0.05 for row in changes]) < 0.86
