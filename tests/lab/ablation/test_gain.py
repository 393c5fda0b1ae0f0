import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smidgen.lab.ablation.gain import expected_gains

numbers = st.floats(-10, 10)
errors = st.floats(0.01, 10)


@given(st.lists(st.tuples(numbers, errors), min_size=1, max_size=7))
def test_a_gain_is_never_turned_round_nor_made_larger(pairs):
    gains, deviations = zip(*pairs, strict=True)
    for before, after in zip(gains, expected_gains(gains, deviations), strict=True):
        assert abs(after) <= abs(before)
        assert after * before >= 0


def test_gains_within_their_noise_shrink_to_none():
    assert expected_gains([0.9, -0.7, 0.2], [1.0, 1.0, 1.0]) == [0, 0, 0]


def test_clear_gains_stay_nearly_as_measured():
    assert expected_gains([10.0, -8.0], [0.5, 0.5]) == pytest.approx([10.0, -8.0], rel=0.01)


def test_the_noisier_of_two_gains_shrinks_more():
    sure, unsure = expected_gains([2.0, 2.0], [0.5, 1.5])
    assert sure > unsure > 0


def test_nothing_has_no_gains():
    assert expected_gains([], []) == []


def test_the_best_of_several_is_overestimated_much_less_than_it_was():
    generator = np.random.default_rng(3)
    measured, expected = [], []
    for _ in range(2000):
        values = generator.normal(size=(5, 3))
        gains, deviations = values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(3)
        best = int(gains.argmax())
        measured.append(gains[best] * np.sqrt(3))
        expected.append(expected_gains(gains, deviations)[best] * np.sqrt(3))
    # In standard errors; the true gain is 0.
    assert np.mean(measured) == pytest.approx(1.16, abs=0.06)
    assert np.mean(expected) == pytest.approx(0.33, abs=0.06)
