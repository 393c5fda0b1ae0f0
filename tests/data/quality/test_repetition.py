"""Repeated runs of words, held against a count by dictionaries."""

import random
from collections import Counter

import numpy as np
import pytest

from smidgen.data.quality.repetition import Repetition
from smidgen.data.quality.words import words_of


def texts():
    chance = random.Random(9)
    made = []
    for words in (0, 1, 2, 5, 9, 40, 200, 800):
        for variety in (1, 2, 5, 40, 1000):
            made.append(" ".join(f"w{chance.randrange(variety)}" for _ in range(words)))
    chance.shuffle(made)
    return made


def runs_of(words, size):
    return [tuple(words[first : first + size]) for first in range(len(words) - size + 1)]


def top_share(text, size):
    words = text.split()
    counts = Counter(runs_of(words, size))
    made_up = [count * sum(map(len, run)) for run, count in counts.items() if count > 1]
    return max(made_up, default=0) / max(1, sum(map(len, words)))


def duplicate_share(text, size):
    words = text.split()
    runs = runs_of(words, size)
    counts = Counter(runs)
    covered = {first + place for first, run in enumerate(runs) if counts[run] > 1 for place in range(size)}
    return sum(len(words[place]) for place in covered) / max(1, sum(map(len, words)))


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_most_frequent_run(size):
    repetition = Repetition(words_of(texts(), ascii_only=False))
    expected = [top_share(text, size) for text in texts()]
    assert repetition.top_share(size).tolist() == pytest.approx(expected)
    assert (repetition.top_share_bound(size) >= np.array(expected) - 1e-12).all()
    # A bound of 1 would be right as well, and of no use.
    varied = Repetition(
        words_of([" ".join(f"w{number}" for number in range(800)) + " w3 w4 w5 w6"], ascii_only=False)
    )
    assert 0 < varied.top_share_bound(size)[0] < 0.02


@pytest.mark.parametrize("size", [5, 6, 10])
def test_what_stands_in_repeated_runs(size):
    repetition = Repetition(words_of(texts(), ascii_only=False))
    assert repetition.duplicate_share(size).tolist() == pytest.approx(
        [duplicate_share(text, size) for text in texts()]
    )


def test_runs_of_two_texts_are_not_counted_together():
    same = ["one two three four five six seven eight"] * 3
    repetition = Repetition(words_of(same, ascii_only=False))
    assert repetition.top_share(2).tolist() == [0, 0, 0]
    assert repetition.duplicate_share(5).tolist() == [0, 0, 0]


def test_nothing_repeats_in_nothing():
    repetition = Repetition(words_of([], ascii_only=False))
    assert repetition.top_share(2).tolist() == []
    assert repetition.top_share_bound(4).tolist() == []
    assert repetition.duplicate_share(5).tolist() == []
