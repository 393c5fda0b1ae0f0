import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source

TEXT = Source(files=("a.txt",))


def two_sources(*points):
    curriculum = tuple(CurriculumPoint(at=at, weights={"a": a, "b": b}) for at, a, b in points)
    return DataSettings(sources={"a": TEXT, "b": TEXT}, curriculum=curriculum)


def test_shares_change_linearly_between_points_and_stay_outside_of_them():
    data = two_sources((0.2, 3, 1), (0.6, 1, 3))
    assert data.shares_at(0.0) == data.shares_at(0.2) == {"a": 0.75, "b": 0.25}
    assert data.shares_at(0.4) == pytest.approx({"a": 0.5, "b": 0.5})
    assert data.shares_at(0.6) == data.shares_at(1.0) == {"a": 0.25, "b": 0.75}


@given(
    weights=st.lists(st.tuples(st.floats(0.01, 9), st.floats(0, 9)), min_size=1, max_size=4),
    fraction=st.floats(0, 1),
)
def test_shares_sum_to_one_and_their_mean_is_the_integral(weights, fraction):
    data = two_sources(*((index / 4, a, b + 0.01) for index, (a, b) in enumerate(weights)))
    assert math.isclose(sum(data.shares_at(fraction).values()), 1)
    steps = 2000
    numeric = sum(data.shares_at((step + 0.5) / steps)["a"] for step in range(steps)) / steps
    assert data.mean_shares()["a"] == pytest.approx(numeric, abs=1e-5)


def test_a_single_source_needs_no_curriculum():
    assert DataSettings(sources={"a": TEXT}).mean_shares() == {"a": 1.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Source(), "exactly one of hub, files and generator, given none"),
        (lambda: Source(hub="a/b", files=("x",)), "given hub and files"),
        (lambda: CurriculumPoint(at=1.5, weights={"a": 1}), r"at=1\.5 must lie between 0"),
        (lambda: CurriculumPoint(at=0, weights={"a": -1}), "must not be negative"),
        (lambda: CurriculumPoint(at=0, weights={"a": 0}), "sum to zero"),
        (lambda: DataSettings(sources={}), "is empty"),
        (lambda: DataSettings(sources={"a": TEXT, "b": TEXT}), "several sources need data.curriculum"),
        (lambda: two_sources((0, 1, 0)), "'b' has no weight anywhere"),
        (lambda: two_sources((0.5, 1, 1), (0.2, 1, 1)), "rising order"),
        (lambda: DataSettings(sources={"a": TEXT}, held_out_fraction=0.9), "between 0 and 0.5"),
        (
            lambda: DataSettings(sources={"a": TEXT}, curriculum=(CurriculumPoint(at=0, weights={"c": 1.0}),)),
            "'c', which is no source; sources are a",
        ),
    ],
)
def test_impossible_mixtures_are_refused_in_words(make, message):
    with pytest.raises(ValueError, match=message):
        make()
