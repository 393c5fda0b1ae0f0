import pytest

from smidgen.reports.charts.scale import Scale, decimals_of, room_around, round_step


def test_ends_meet_ends_in_either_direction():
    down = Scale(2.0, 7.0, 110.0, 10.0)
    assert (down(2.0), down(4.5), down(7.0)) == (110.0, 60.0, 10.0)


@pytest.mark.parametrize(("rough", "step"), [(0.9, 1), (1.1, 2), (3, 5), (7, 10), (0.013, 0.02), (430_000, 500_000)])
def test_steps_are_round(rough, step):
    assert round_step(rough) == pytest.approx(step)


def test_ticks_are_round_and_inside():
    assert Scale(0.3, 9.8, 0, 1).ticks(5) == [2, 4, 6, 8]
    assert Scale(0, 1, 0, 1).ticks(2) == [0, 0.5, 1]


@pytest.mark.parametrize("values", [[3.0], [0.0, 0.0], [-2.0, -2.0], [1.0, 1.0 + 1e-13]])
def test_equal_values_get_room_too(values):
    low, high = room_around(values)
    assert low < min(values) <= max(values) < high


@pytest.mark.parametrize(("ticks", "decimals"), [([2, 4], 0), ([1.5, 2.0], 1), ([0.25, 0.27], 2), ([7], 0)])
def test_decimals_tell_ticks_apart(ticks, decimals):
    assert decimals_of(ticks) == decimals
