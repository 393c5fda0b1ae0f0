"""Words and runs of words, held against regular expressions."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smidgen.data.quality import words as words_module
from smidgen.data.quality.words import words_of

TEXT = st.text(st.sampled_from("aBz09 .\n_-'é’É–“ıİ世、界　\U0001f600"), max_size=60)


def spans(words, number):
    """The words of a text as they stand in it."""
    first, last = words.bounds[number], words.bounds[number + 1]
    content = words.content.tobytes()
    return [content[words.starts[i] : words.ends[i]].decode() for i in range(first, last)]


@given(st.lists(TEXT, max_size=5))
@example([])
@example(["", " ", "\n"])
def test_ascii_words_are_those_of_the_published_definition(texts):
    found = words_of(texts, ascii_only=True)
    assert [spans(found, number) for number in range(len(texts))] == [
        re.findall("[A-Za-z0-9]+", text) for text in texts
    ]
    assert found.counts.tolist() == [len(re.findall("[A-Za-z0-9]+", text)) for text in texts]


@given(st.lists(TEXT, max_size=5))
def test_other_words_hold_letters_of_any_language_and_no_punctuation(texts):
    found = words_of(texts, ascii_only=False)
    expected = [re.findall("[A-Za-z0-9éÉıİ世界\U0001f600]+", text) for text in texts]
    assert [spans(found, number) for number in range(len(texts))] == expected
    assert found.characters.tolist() == [sum(map(len, each)) for each in expected]
    assert found.numbers.tolist() == [sum(word.isdecimal() for word in each) for each in expected]


# Without İ, which str.lower turns into an i and a dot.
@given(st.lists(TEXT.map(lambda text: text.replace("İ", "I")), min_size=1, max_size=5), st.integers(1, 5))
def test_equal_runs_have_equal_numbers_and_no_others(texts, size):
    words = words_of(texts, ascii_only=True)
    ngrams = words.ngrams(size)
    split = [re.findall("[a-z0-9]+", text.lower()) for text in texts]
    runs = [
        (number, tuple(each[first : first + size]))
        for number, each in enumerate(split)
        for first in range(len(each) - size + 1)
    ]
    assert ngrams.texts.tolist() == [number for number, _ in runs]
    numbers = {run: number for (_, run), number in zip(runs, ngrams.hashes.tolist(), strict=True)}
    assert [numbers[run] for _, run in runs] == ngrams.hashes.tolist()
    assert len({*numbers.values()}) == len(numbers)
    assert ngrams.bounds(len(texts)).tolist() == [
        sum(number < bound for number, _ in runs) for bound in range(len(texts) + 1)
    ]


def test_a_text_has_the_same_numbers_in_any_company():
    texts = [f"number {i} of " + "many different words " * i for i in range(30)]
    together = words_of(texts, ascii_only=True).ngrams(3)
    for number, text in enumerate(texts):
        alone = words_of([text], ascii_only=True).ngrams(3).hashes
        assert (together.hashes[together.texts == number] == alone).all()


@pytest.mark.parametrize("block", [7, 64])
def test_blocks_do_not_show(monkeypatch, block):
    text = " ".join(f"w{i}" for i in range(300))
    whole = words_of([text], ascii_only=True)
    expected = whole.hashes, whole.ngrams(5).hashes
    words_module._powers.cache_clear()
    monkeypatch.setattr(words_module, "_BLOCK", block)
    try:
        cut = words_of([text], ascii_only=True)
        assert (cut.hashes == expected[0]).all()
        assert (cut.ngrams(5).hashes == expected[1]).all()
    finally:
        words_module._powers.cache_clear()


def test_a_word_longer_than_a_block_is_one_word():
    text = "a" * 300_000 + " b"
    found = words_of([text], ascii_only=True)
    assert found.counts.tolist() == [2]
    assert found.hashes[1] == words_of(["b"], ascii_only=True).hashes[0]


def test_the_order_of_letters_and_words_counts():
    hashes = words_of(["ab ba aab aba", "a", "aa", "aaa"], ascii_only=True).hashes
    assert len(np.unique(hashes)) == 7
    runs = words_of(["a b c", "c b a", "a b b", "b a c"], ascii_only=True).ngrams(3).hashes
    assert len(np.unique(runs)) == 4
