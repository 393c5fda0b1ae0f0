import random

import pytest

from smidgen.generation.repetition import collapse_start, distinct_ngrams, loop_start


def loop_start_by_definition(ids, min_period, max_period, repeats):
    for start in range(len(ids)):
        for period in range(min_period, max_period + 1):
            unit = ids[start : start + period]
            if ids[start : start + period * repeats] == unit * repeats and len(unit) == period:
                return start
    return None


def test_a_loop_starts_where_its_first_unit_starts():
    assert loop_start([9, 8, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]) == 2


def test_three_repeats_are_not_yet_four():
    ids = [9, 1, 2, 1, 2, 1, 2, 5]
    assert loop_start(ids) is None
    assert loop_start(ids, repeats=3) == 1


def test_a_loop_that_ends_again_is_found():
    assert loop_start([5, 1, 1, 1, 1, 6, 7, 8]) == 1


def test_a_period_outside_the_limits_is_no_loop():
    ids = [1, 2, 3] * 4
    assert loop_start(ids, max_period=2) is None
    assert loop_start(ids, min_period=4) is None
    assert loop_start(ids, min_period=3, max_period=3) == 0
    assert loop_start([7] * 8, min_period=2) == 0  # four pairs are a loop as well


@pytest.mark.parametrize("ids", [[], [1], [1, 2, 3, 4, 5, 6, 7, 8]])
def test_a_text_without_repetition_has_no_loop(ids):
    assert loop_start(ids) is None


@pytest.mark.parametrize("seed", range(20))
def test_random_texts_agree_with_the_definition(seed):
    random_source = random.Random(seed)
    ids = [random_source.randrange(2) for _ in range(40)]
    for limits in [(1, 5, 3), (2, 7, 4), (3, 3, 2)]:
        min_period, max_period, repeats = limits
        assert loop_start(
            ids, min_period=min_period, max_period=max_period, repeats=repeats
        ) == loop_start_by_definition(ids, *limits)


def test_distinct_ngrams_is_the_share_of_different_ones():
    assert distinct_ngrams([1, 1, 1, 1], 1) == 1 / 4
    assert distinct_ngrams([1, 2, 1, 2, 1], 2) == 2 / 4
    assert distinct_ngrams([1, 2, 3, 4], 2) == 1.0


def test_a_text_shorter_than_one_ngram_repeats_nothing():
    assert distinct_ngrams([1, 1], 3) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: loop_start([1], min_period=0), "min_period=0 must be between 1 and max_period=64"),
        (lambda: loop_start([1], min_period=9, max_period=8), "min_period=9 must be between 1 and max_period=8"),
        (lambda: loop_start([1], repeats=1), "repeats=1 must be at least 2"),
        (lambda: distinct_ngrams([1], 0), "n=0 must be at least 1"),
    ],
)
def test_impossible_limits_say_what_would_work(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_certainty_collapses_where_the_mean_entropy_of_a_window_falls():
    entropies = [2.0] * 10 + [0.1] * 32 + [2.0] * 10
    # Two uncertain tokens before it still leave the mean at 0.22.
    assert collapse_start(entropies) == 8
    assert collapse_start(entropies[:38]) is None
    # One uncertain token in 32 lifts the mean to 0.16, three to 0.28.
    assert collapse_start([0.1] * 31 + [2.0]) == 0
    assert collapse_start([0.1] * 29 + [2.0] * 3) is None
    assert collapse_start([0.1] * 29 + [2.0] * 3, most_nats=0.3) == 0


def test_a_text_shorter_than_the_window_does_not_collapse():
    assert collapse_start([0.0] * 31) is None
    assert collapse_start([]) is None
    assert collapse_start([0.0] * 5, window=5) == 0
    with pytest.raises(ValueError, match="at least 1"):
        collapse_start([0.0], window=0)


def test_the_running_sum_finds_what_adding_up_finds():
    chance = random.Random(3)
    for _ in range(50):
        entropies = [chance.expovariate(3.5) for _ in range(60)]
        means = [sum(entropies[start : start + 8]) / 8 for start in range(53)]
        expected = next((start for start, mean in enumerate(means) if mean <= 0.15), None)
        assert collapse_start(entropies, window=8, most_nats=0.15) == expected
