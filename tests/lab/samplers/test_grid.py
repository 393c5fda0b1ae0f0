import pytest

from smidgen.errors import BadInput
from smidgen.lab.samplers.grid import MOST_SETTINGS, candidates, default_grid, grid_of
from smidgen.recipes.sampling import SamplingSettings


def test_a_grid_is_every_combination_and_what_is_not_named_is_off():
    found = grid_of(["temperature=0.5,0.8", "top-p=0.9,1", "no_repeat_ngram_size=0,3"])
    assert len(found) == 8
    assert SamplingSettings(temperature=0.8, top_p=0.9, no_repeat_ngram_size=3) in found


def test_the_default_grid_names_no_setting_twice():
    assert len(default_grid()) == len(set(default_grid())) == 51


def test_settings_that_do_the_same_are_one_candidate_with_all_names():
    grid = grid_of(["temperature=0,1", "top_p=0.5,1"])
    found = candidates(grid, {"card": SamplingSettings(temperature=0.0, top_k=9, max_new_tokens=3)}, new_tokens=12)
    assert [(one.settings.temperature, one.settings.top_p, one.names) for one in found] == [
        (0, 1, ("card",)),
        (1, 0.5, ()),
        (1, 1, ()),
    ]
    assert {one.settings.max_new_tokens for one in found} == {12}


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (["temprature=0.5"], "did you mean temperature"),
        (["max_new_tokens=5"], "must be KEY=V1,V2"),
        (["temperature"], "must be numbers"),
        (["temperature=hot"], "must be numbers"),
        (["top_k=2.5"], "must be numbers"),
        (["top_p=1.5"], "top_p=1.5 must be between"),
        (["temperature=nan"], "temperature=nan must be"),
        (["top_p=1", "top_p=0.9"], "twice"),
    ],
)
def test_an_axis_that_cannot_be_used_is_refused(axes, message):
    with pytest.raises(BadInput, match=message):
        grid_of(axes)


def test_a_grid_of_days_is_refused():
    grid = [SamplingSettings(top_k=k) for k in range(MOST_SETTINGS + 1)]
    with pytest.raises(BadInput, match="at most 500"):
        candidates(grid, {}, new_tokens=4)
