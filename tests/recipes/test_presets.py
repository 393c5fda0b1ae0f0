import pytest

from smidgen.errors import BadInput
from smidgen.recipes.presets import CARDS, card_presets, sampling_preset
from smidgen.recipes.sampling import SamplingSettings


def test_every_card_has_its_own_advice():
    presets = card_presets()
    assert tuple(presets) == CARDS
    assert len(set(presets.values())) == 5


def test_the_advice_is_that_of_the_card():
    assert sampling_preset("gpt-s-5m") == SamplingSettings(
        temperature=0.8, top_p=0.95, repetition_penalty=1.1, no_repeat_ngram_size=4, max_new_tokens=120
    )
    assert sampling_preset("ant-5m") == SamplingSettings(
        temperature=0.3, top_p=0.85, repetition_penalty=2.5, max_new_tokens=15
    )
    assert sampling_preset("atomixs2-5m").min_p == 0.1


@pytest.mark.parametrize(("name", "advice"), [("gpt-5m", "did you mean gpt-s-5m"), ("zz", "known are ant-5m")])
def test_another_name_is_refused(name, advice):
    with pytest.raises(BadInput, match=advice):
        sampling_preset(name)
