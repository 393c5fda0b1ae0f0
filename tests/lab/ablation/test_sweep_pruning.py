import pytest

from smidgen.lab.ablation.sweep_pruning import judge


def test_nobody_is_stopped_without_a_pruner():
    judged = judge("none", 0.25, 9.0, [1.0] * 20)
    assert (judged.goes_on, judged.limit) == (True, None)


@pytest.mark.parametrize(("value", "goes_on"), [(2.9, True), (3.0, True), (3.1, False)])
def test_what_is_worse_than_the_median_of_the_earlier_ones_stops(value, goes_on):
    judged = judge("median", 0.25, value, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert (judged.goes_on, judged.limit) == (goes_on, 3.0)


def test_a_median_of_few_stops_nobody():
    assert judge("median", 0.25, 9.0, [1.0, 2.0, 3.0, 4.0]).goes_on


@pytest.mark.parametrize(
    ("value", "others", "goes_on"),
    [
        (9.0, [], True),
        (9.0, [1.0], False),
        (0.5, [1.0], True),
        (1.5, [1.0, 2.0], True),
        (2.5, [1.0, 2.0], False),
        (2.0, [1.0, 3.0, 4.0], True),
        (3.5, [1.0, 3.0, 4.0], False),
    ],
)
def test_halving_keeps_the_better_half_of_those_that_came_there_so_far(value, others, goes_on):
    assert judge("halving", 0.5, value, others).goes_on is goes_on


def test_a_judgement_is_plain_data():
    assert judge("halving", 0.5, 2.0, [1.0]).as_dict() == {
        "at": 0.5,
        "bits_per_byte": 2.0,
        "limit": 1.0,
        "goes_on": False,
    }
