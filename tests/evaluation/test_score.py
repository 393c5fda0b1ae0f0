import math

import pytest

from smidgen.errors import CheckFailed
from smidgen.evaluation.score import accuracy, bits_per_byte, credit


def test_the_highest_score_wins():
    assert credit([-3.0, -1.0, -2.0], 1) == (1.0, False)
    assert credit([-3.0, -1.0, -2.0], 0) == (0.0, False)


def test_a_constant_model_scores_at_chance():
    assert credit([-1.0] * 4, 0) == (0.25, True)
    assert credit([-1.0] * 4, 3) == (0.25, True)


def test_a_tie_among_the_wrong_earns_nothing():
    assert credit([-1.0, -1.0, -2.0], 2) == (0.0, True)


def test_nan_is_refused_instead_of_scored():
    with pytest.raises(CheckFailed, match="NaN"):
        credit([float("nan"), float("nan")], 0)


def test_accuracy_reports_items_and_ties():
    score = accuracy([1.0, 0.0, 0.5, 0.5], ties=2)
    assert (score.value, score.n, score.ties) == (0.5, 4, 2)
    assert score.low < 0.5 < score.high


def test_bits_per_byte_of_a_uniform_model_is_exact():
    # 256 equally probable bytes cost 8 bits each.
    nats = [length * math.log(256) for length in (10, 33, 7)]
    assert bits_per_byte(nats, [10, 33, 7]).value == pytest.approx(8, abs=1e-12)
