"""A generator has no more to give once ten thousand documents in a row brought hardly anything new."""

import pytest

from smidgen.data.exhaustion import Exhaustion


@pytest.mark.parametrize(("fresh", "reached"), [(0, True), (99, True), (100, False), (10_000, False)])
def test_one_in_a_hundred_has_to_be_new(fresh, reached):
    assert Exhaustion().is_reached(10_000, fresh) is reached


def test_it_looks_at_ten_thousand_at_a_time_and_not_at_those_before():
    exhaustion = Exhaustion()
    assert not exhaustion.is_reached(9_999, 0)
    assert not exhaustion.is_reached(12_000, 12_000)
    assert not exhaustion.is_reached(21_999, 12_000)
    assert exhaustion.is_reached(22_000, 12_099)
