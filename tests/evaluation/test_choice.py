import math

import pytest

from smidgen.evaluation.choice import Lengths, credit, mass


def test_the_highest_score_wins():
    assert credit([-3.0, -1.0, -2.0], (1,)) == (1.0, False)
    assert credit([-3.0, -1.0, -2.0], (0,)) == (0.0, False)


def test_any_of_several_right_endings_earns_the_credit():
    assert credit([-3.0, -1.0, -2.0], (1, 2)) == (1.0, False)


@pytest.mark.parametrize("label", range(4))
def test_a_constant_model_scores_at_chance_wherever_the_right_ending_stands(label):
    assert credit([-1.0] * 4, (label,)) == (0.25, True)


def test_a_tie_among_the_wrong_earns_nothing():
    assert credit([-1.0, -1.0, -2.0], (2,)) == (0.0, True)


def test_mass_is_the_share_of_probability_on_right_endings():
    log_probabilities = [math.log(0.1), math.log(0.3), math.log(0.1)]
    assert mass(log_probabilities, (0, 2)) == pytest.approx(0.4)


def test_mass_of_improbable_endings_does_not_vanish():
    assert mass([-2000.0, -2001.0], (0,)) == pytest.approx(1 / (1 + math.exp(-1)))


def test_each_metric_has_its_own_lengths():
    lengths = Lengths(characters=(5, 7), text_bytes=(6, 11), tokens=(2, 3))
    assert lengths.divisors("acc", token_mean=False) == [1, 1]
    assert lengths.divisors("acc_norm", token_mean=False) == [5, 7]
    assert lengths.divisors("acc_norm", token_mean=True) == [2, 3]
    assert lengths.divisors("acc_bytes", token_mean=True) == [6, 11]
