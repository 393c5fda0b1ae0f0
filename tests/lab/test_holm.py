import pytest

from smidgen.lab.holm import holm


def test_a_hand_computed_example():
    # Ordered: 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1 -> 0.02, 0.03, 0.06 and 0.06 again, as none may fall.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_one_comparison_needs_no_correction():
    assert holm([0.037]) == [0.037]


def test_no_p_value_exceeds_one():
    assert holm([0.6, 0.9, 0.7]) == [1.0, 1.0, 1.0]


def test_nothing_gives_nothing():
    assert holm([]) == []
