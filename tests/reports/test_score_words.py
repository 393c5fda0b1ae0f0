import pytest

from smidgen.reports.score_words import index_title, index_with_interval, items, task_title, with_interval
from smidgen.reports.stored.scores import Index, Score


def score(value, low=None, high=None, metric="word_perplexity", **fields):
    given = {"task": "x", "n": 62, "ties": 0, "truncated": 0, "baselines": {}, **fields}
    return Score(metric=metric, value=value, low=low, high=high, **given)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (8.5401, "8.540"),
        (223.83, "223.8"),
        (999.96, "1000.0"),
        (95_927.2, "95,927"),
        (274_946_960.6, "275M"),
        (3.2319e9, "3.23B"),
        (1e300, "1e+300"),
    ],
)
def test_perplexities_have_the_digits_that_count(number, said):
    assert with_interval(score(number)) == said


def test_both_ends_of_an_interval_are_written_like_the_value():
    assert with_interval(score(274.9e6, 23.04e6, 3231.9e6)) == "275M (23M to 3.23B)"
    assert with_interval(score(0.612, 0.59, 0.633, metric="acc")) == "61.2% (59.0 to 63.3)"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"n": None}, "–"),
        ({"n": 1710}, "1,710"),
        ({"n": 1710, "truncated": 236}, "1,710 (236 cut)"),
        ({"n": 1710, "ties": 1, "truncated": 236}, "1,710 (1 tie, 236 cut)"),
        ({"n": 1710, "ties": 12}, "1,710 (12 ties)"),
    ],
)
def test_ties_and_cut_contexts_stand_beside_the_items(fields, said):
    assert items(score(0.5, metric="acc", **fields)) == said


def test_an_index_has_two_digits_and_a_real_minus():
    assert index_title("intelligence_index") == "Open SLM Intelligence Index"
    assert index_title("my_index") == "my index"
    assert index_with_interval(Index(name="i", value=-0.52, low=-3.1, high=2.06)) == "−0.52 (−3.10 to 2.06)"
    assert index_with_interval(Index(name="i", value=4.5, low=None, high=None)) == "4.50"


def test_benchmarks_are_spelt_as_their_authors_spell_them():
    assert task_title("hellaswag") == "HellaSwag"
    assert task_title("minimal-pairs") == "Minimal pairs"
