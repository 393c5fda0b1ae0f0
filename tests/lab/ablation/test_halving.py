import pytest

from smidgen.lab.ablation.halving import Halving


@pytest.mark.parametrize(
    ("variants", "keep", "expected"), [(0, 0.5, 0), (1, 0.5, 1), (2, 0.5, 1), (5, 0.5, 3), (10, 0.3, 3), (7, 0.01, 1)]
)
def test_a_share_goes_on_and_at_least_one(variants, keep, expected):
    assert Halving(at=(0.5,), keep=keep).survivors(variants) == expected


@pytest.mark.parametrize("at", [(), (0.0, 0.5), (0.5, 1.0), (0.5, 0.25), (0.5, 0.5)])
def test_fractions_that_do_not_rise_between_0_and_1_are_refused(at):
    with pytest.raises(ValueError, match="must rise and lie between 0 and 1"):
        Halving(at=at)


@pytest.mark.parametrize("keep", [0.0, 1.0, -0.5])
def test_a_share_of_nothing_or_all_is_refused(keep):
    with pytest.raises(ValueError, match="share of the variants that goes on"):
        Halving(at=(0.5,), keep=keep)
