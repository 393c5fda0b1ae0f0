"""The clock of a sitting: what counts for the speed, and what a later sitting adds."""

import time

import pytest

from smidgen.training.clock import Clock


@pytest.fixture
def now(monkeypatch):
    """The time, to be set by the test."""
    seconds = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    return seconds


def test_time_aside_counts_for_the_run_but_not_for_the_speed(now):
    clock = Clock()
    now[0] += 4
    with clock.aside():
        now[0] += 6
    assert clock.seconds == 10
    assert clock.tokens_per_second(400) == 100
    # What is left will be measured and saved as often.
    assert clock.seconds_left(400, of=1_200) == 20


def test_a_later_sitting_has_the_seconds_before_and_a_speed_of_its_own(now):
    clock = Clock(seconds_before=50.0, tokens_before=1_000)
    now[0] += 5
    assert clock.seconds == 55
    assert clock.tokens_per_second(2_000) == 200
    assert clock.seconds_left(2_000, of=3_000) == 5


def test_before_the_first_step_nothing_is_divided_by_zero(now):
    clock = Clock(tokens_before=7)
    assert clock.tokens_per_second(7) == 0
    assert clock.seconds_left(7, of=1_007) == 0
