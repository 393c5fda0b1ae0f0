from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from smidgen.lab.ablation.noise_floor import NoiseFloor
from smidgen.lab.ablation.power import detectable, power, power_estimates


@pytest.mark.parametrize(("seeds", "effect"), [(2, 5.0), (3, 2.0), (5, 1.5), (10, 1.0)])
def test_power_is_how_often_a_paired_t_test_finds_the_effect(seeds, effect):
    generator = np.random.default_rng(7)
    differences = generator.normal(effect, 1.0, size=(20_000, seeds))
    found = np.mean(stats.ttest_1samp(differences, 0.0, axis=1).pvalue < 0.05)
    assert power(effect, 1.0, seeds) == pytest.approx(found, abs=0.012)


@given(
    deviation=st.floats(1e-6, 10), seeds=st.integers(2, 30), level=st.floats(0.0005, 0.1), wanted=st.floats(0.2, 0.99)
)
@settings(max_examples=40, deadline=None)
def test_the_detectable_difference_is_found_at_the_wanted_rate(deviation, seeds, level, wanted):
    effect = detectable(deviation, seeds, level=level, wanted=wanted)
    assert power(effect, deviation, seeds, level=level) == pytest.approx(wanted, abs=1e-6)


def test_two_seeds_need_an_enormous_difference_and_more_of_them_a_small_one():
    found = [detectable(1.0, seeds) for seeds in (2, 3, 5, 20)]
    assert found == pytest.approx([11.55, 3.264, 1.682, 0.66], rel=0.002)


def test_noise_of_none_hides_nothing():
    assert detectable(0.0, 3) == 0


@pytest.fixture
def floor():
    return NoiseFloor(
        task="bits-per-byte",
        metric="bits_per_byte",
        standard_deviation=0.004,
        low=0.002,
        high=0.03,
        seeds=3,
        tokens=4_000_000,
    )


def test_an_estimate_reads_as_a_sentence(floor):
    (_, three, *_) = power_estimates([floor], 3)
    assert three.detectable == pytest.approx(detectable(np.sqrt(2) * 0.004, 3))
    assert three.sentence == (
        "with 3 seeds a difference of 0.018 bits per byte (bits-per-byte) is found in four of five tries"
    )
    assert power_estimates([floor], 3, verdicts=4)[1].sentence.endswith("of five tries, as one of 4 verdicts")


def test_the_number_of_seeds_at_hand_is_among_the_estimates(floor):
    assert [one.seeds for one in power_estimates([floor], 4)] == [2, 3, 4, 5, 10]


def test_a_task_that_all_seeds_score_alike_promises_nothing(floor):
    assert power_estimates([replace(floor, standard_deviation=0.0)], 3) == []
