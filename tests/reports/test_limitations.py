import pytest

from smidgen.reports.limitations import limitations
from smidgen.reports.run_records import read_run


def said(run):
    return "\n".join(limitations(read_run(run)))


@pytest.fixture
def rescored(full_run, edit):
    """A run whose arithmetic accuracy has another interval."""

    def rescore(low, high):
        def change(stored):
            stored["scores"]["arithmark2-generated"]["acc"].update(value=(low + high) / 2, low=low, high=high)

        edit(full_run.scores / "recipe.json", change)
        return said(full_run)

    return rescore


def test_what_is_at_chance_is_said_in_words(full_run):
    text = said(full_run)
    assert "At chance in minimal-pairs: anaphor agreement 52.7% (47.1 to 58.3), where guessing gives 50%." in text


def test_what_is_below_chance_is_told_from_what_is_at_chance(full_run):
    assert "wrong answers are preferred, in minimal-pairs: negative polarity 44.1%" in said(full_run)


def test_what_is_clearly_above_every_rule_is_no_limitation(rescored):
    assert "arithmark2-generated 4" not in rescored(0.40, 0.44)


def test_an_interval_that_reaches_chance_is_a_limitation(rescored):
    text = rescored(0.24, 0.30)
    assert "At chance in arithmark2-generated: all items 27.0% (24.0 to 30.0) and 3 op" in text


def test_a_score_that_a_trivial_rule_reaches_is_a_limitation(rescored):
    text = rescored(0.32, 0.36)
    assert "34.0% (32.0 to 36.0) is above chance, but not clearly above the rule “middle”" in text
    assert "which reaches 33.4% without a model" in text


def test_compressors_that_do_as_well_are_named(full_run):
    text = said(full_run)
    assert "On web, xz (2.47) needs no more bits per byte than the model (2.48)." in text
    assert "On text," not in text


def test_scores_on_generated_items_are_set_apart_from_published_benchmarks(full_run):
    text = said(full_run)
    assert "items of arithmark2-generated and minimal-pairs are written by Smidgen" in text
    assert "same built-in generator for arithmark2-generated and minimal-pairs" in text


def test_repetition_counts_in_data_and_in_samples(full_run):
    text = said(full_run)
    assert "web was passed over 4.8 times" in text
    assert "1 of 4 samples ended in a repetition." in text
    assert "arithmetic was passed over" not in text
