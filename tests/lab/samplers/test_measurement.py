import numpy as np
import pytest

from smidgen.evaluation.spelling_task import Written
from smidgen.generation.drawing import Drawn
from smidgen.lab.samplers.measurement import RATIOS, Measured, measure, resampled
from smidgen.lab.samplers.recommendation import recommend

LEXICON = frozenset({"cat", "sat"})


def text(token_ids, words="", *, nats=1.0, entropy=2.0):
    drawn = Drawn(list(token_ids), "stop", [nats] * len(token_ids), [entropy] * len(token_ids))
    return drawn, Written(words, 0, is_cut=False)


def sums(**given):
    """Measured of prompts with one text each; what is not given is 0."""
    prompts = len(next(iter(given.values())))
    names = {name for pair in RATIOS.values() for name in pair}
    return Measured(sums={name: list(given.get(name, [1 if name == "texts" else 0] * prompts)) for name in names})


def test_the_numbers_of_texts_worked_out_by_hand():
    found = measure(
        [[text([5] * 4, "cat cat"), text([1, 2, 3, 4, 5], "sat qx")], [text(range(40), entropy=0.1, nats=3.0)]],
        LEXICON,
    )
    ratios = {name: found.ratio(name) for name in RATIOS}
    # [5, 5, 5, 5] has one distinct 3-gram of two.
    assert ratios == pytest.approx(
        {
            "loop_rate": 2 / 3,
            "cycle_rate": 1 / 3,
            "collapse_rate": 1 / 3,
            "distinct": (0.5 + 1 + 1) / 3,
            "garble": 1 / 4,
            "nll": (4 + 5 + 120) / 49,
        }
    )


def test_where_no_word_was_written_there_is_no_garble():
    found = measure([[text([1, 2, 3], "1 + 2 = 3")], [text([4])]], LEXICON).as_dict()
    assert found["garble"] is None
    assert "garble" not in found["intervals"]


def test_an_interval_narrows_with_prompts_and_is_open_where_nothing_looped():
    few, many = (
        sums(looped=[1, 0, 0, 1] * n, texts=[1] * 4 * n).as_dict()["intervals"]["loop_rate"] for n in (4, 64)
    )
    assert few["low"] < 0.5 < few["high"]
    assert many["high"] - many["low"] < (few["high"] - few["low"]) / 3
    none = sums(looped=[0] * 30).as_dict()["intervals"]["loop_rate"]
    assert none["low"] == 0
    assert 0.05 < none["high"] < 0.2


def test_texts_of_one_prompt_are_resampled_together():
    """Two texts after each of six prompts tell no more than six draws where the prompt alone decides."""
    together = sums(looped=[2, 0, 2, 0, 2, 0], texts=[2] * 6).as_dict()["intervals"]["loop_rate"]
    single = sums(looped=[1, 0, 1, 0, 1, 0], texts=[1] * 6).as_dict()["intervals"]["loop_rate"]
    assert together == single


def test_all_settings_see_the_same_resamples():
    same = [sums(looped=[0, 1, 0, 1, 1, 0, 0]) for _ in range(2)]
    found_RS = resampled(same)["loop_rate"]
    assert np.array_equal(found_RS[:, 0], found_RS[:, 1])
    assert found_RS[:, 0].std() > 0


REAL = sums(looped=[0] * 20, words=[10] * 20, unknown=[0] * 20, nats=[25.0] * 20, tokens=[10] * 20)


def setting(looped, unknown, nats):
    """The first so many of 20 prompts loop, and so on."""
    return sums(
        looped=[int(place < looped) for place in range(20)],
        words=[10] * 20,
        unknown=[int(place < unknown) for place in range(20)],
        nats=[nats * 10] * 20,
        tokens=[10] * 20,
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # Loops come first, however near to real text the looping one is.
        ([setting(12, 0, 2.5), setting(0, 0, 1.0)], 1),
        # Then unknown words.
        ([setting(0, 15, 2.5), setting(0, 0, 1.0)], 1),
        # Then likelihood, from either side.
        ([setting(0, 0, 1.0), setting(0, 0, 2.2), setting(0, 0, 3.5)], 1),
        # A difference that chance explains does not count.
        ([setting(1, 1, 2.5), setting(0, 0, 1.0)], 0),
    ],
    ids=["loops", "garble", "likelihood", "chance"],
)
def test_the_rule_is_applied_step_by_step(settings, expected):
    assert recommend(settings, REAL).place == expected


def test_what_each_step_left_is_told():
    found = recommend([setting(12, 0, 2.5), setting(0, 15, 2.5), setting(0, 0, 1.0)], REAL)
    assert (found.without_loops, found.without_garble) == (2, 1)


def test_without_words_the_step_of_unknown_words_is_left_out():
    wordless = [sums(looped=[0] * 5, nats=[n] * 5, tokens=[1] * 5) for n in (1.0, 2.0)]
    assert recommend(wordless, sums(looped=[0] * 5, nats=[1.9] * 5, tokens=[1] * 5)).place == 1
