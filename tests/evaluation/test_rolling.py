import random

import pytest

from smidgen.evaluation.rolling import rolling_nats, windows


def test_a_short_text_is_one_window_after_the_prefix():
    [window] = windows([5, 6, 7], prefix=9, max_length=4)
    assert (window.context, window.continuation) == ((9,), (5, 6, 7))


def test_later_windows_see_one_token_and_the_last_as_much_as_fits():
    first, second, last = windows(list(range(10)), prefix=99, max_length=4)
    assert (first.context, first.continuation) == ((99,), (0, 1, 2, 3))
    assert (second.context, second.continuation) == ((3,), (4, 5, 6, 7))
    assert (last.context, last.continuation) == ((5, 6, 7), (8, 9))


def test_an_empty_text_costs_nothing(decoder):
    assert rolling_nats(decoder, [[], [1]], prefix=0)[0] == 0


def test_windows_are_those_of_the_harness():
    utils = pytest.importorskip("lm_eval.utils")
    draw = random.Random(1)
    for _ in range(200):
        ids = draw.choices(range(50), k=draw.randint(1, 40))
        max_length = draw.randint(2, 12)
        theirs = [
            utils.make_disjoint_window(pair)
            for pair in utils.get_rolling_token_windows(ids, prefix_token=60, max_seq_len=max_length, context_len=1)
        ]
        ours = windows(ids, prefix=60, max_length=max_length)
        assert [(list(one.context), list(one.continuation)) for one in ours] == theirs
