import numpy as np
import pytest
from scipy.stats import binomtest

from smidgen.evaluation.intervals import ratio_interval, wilson_interval


@pytest.mark.parametrize(("right", "n"), [(0, 5), (1, 7), (50, 100), (692, 1000), (2500, 2500)])
def test_wilson_equals_scipy(right, n):
    expected = binomtest(right, n).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson_interval(right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_takes_fractions_of_ties():
    low, high = wilson_interval(2.5, 10)
    assert wilson_interval(2, 10)[0] < low < 0.25 < high < wilson_interval(3, 10)[1]


def test_wilson_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    covered = 0
    for right in generator.binomial(200, 0.3, size=2000):
        low, high = wilson_interval(int(right), 200)
        covered += low <= 0.3 <= high
    assert 0.935 <= covered / 2000 <= 0.965


def test_the_ratio_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(5)
    covered = 0
    for _ in range(150):
        sizes = generator.integers(50, 500, size=80)
        bits = sizes * generator.normal(2.0, 0.4, size=80)
        low, high = ratio_interval(bits, sizes)
        covered += low <= 2.0 <= high
    assert 0.88 <= covered / 150 <= 0.99


def test_the_ratio_interval_is_reproducible_and_holds_the_ratio():
    bits, sizes = [10.0, 30.0, 25.0], [5, 10, 20]
    assert ratio_interval(bits, sizes) == ratio_interval(bits, sizes)
    low, high = ratio_interval(bits, sizes)
    assert low <= 65 / 35 <= high


@pytest.mark.parametrize("interval", [lambda: wilson_interval(0, 0), lambda: ratio_interval([], [])])
def test_no_items_have_no_interval(interval):
    with pytest.raises(ValueError, match="at least one item"):
        interval()
