import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.native.library import Unavailable
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization import merge_learning
from smidgen.tokenization.merge_learning import base_symbols, learn_merges
from smidgen.tokenization.training import train_tokenizer

from .sample_text import sample_texts

# Few symbols make many ties, repetitions, and tokens with several ways to be made.
COUNTED = st.dictionaries(st.text("abĠé", min_size=1, max_size=40), st.integers(1, 6), max_size=12)


@pytest.fixture(params=["as it is", "without compiler"])
def way(request, monkeypatch):
    if request.param == "without compiler":
        monkeypatch.setattr(merge_learning, "_library", unavailable)


def unavailable():
    raise Unavailable("no C++ compiler was found")


def both_ways(counts, tokens):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge_learning, "_library", unavailable)
        by_library = learn_merges(counts, tokens)
    return learn_merges(counts, tokens), by_library


@pytest.mark.usefixtures("way")
def test_the_commonest_pair_is_joined_first():
    learned = learn_merges({"ab": 3, "bc": 5, "c": 9}, 300)
    assert learned.merges == (("b", "c"), ("a", "b"))
    assert learned.tokens == (*base_symbols(), "bc", "ab")


@pytest.mark.usefixtures("way")
def test_of_equally_common_pairs_the_lower_ids_come_first():
    assert learn_merges({"ba": 4, "ac": 4, "ab": 4}, 300).merges == (("a", "b"), ("a", "c"), ("b", "a"))


@pytest.mark.usefixtures("way")
def test_a_pair_that_occurs_once_is_not_joined():
    assert learn_merges({"ab": 1, "cd": 2}, 300).merges == (("c", "d"),)
    assert learn_merges({}, 300).tokens == base_symbols()


@pytest.mark.usefixtures("way")
def test_there_are_as_many_tokens_as_asked_for():
    counts = Counter(word for text in sample_texts(50) for word in text.split() if word.isascii())
    for tokens in (256, 257, 300, 400):
        assert len(learn_merges(counts, tokens).tokens) == tokens


@given(counts=COUNTED, tokens=st.integers(256, 330))
@settings(max_examples=300, deadline=None)
def test_the_library_learns_the_same(counts, tokens):
    native, by_library = both_ways(counts, tokens)
    assert native == by_library


def test_the_library_learns_the_same_from_more_text():
    draw = random.Random(3)
    counts = Counter("".join(draw.choices("abcde", k=draw.randint(1, 60))) for _ in range(3000))
    native, by_library = both_ways(counts, 2000)
    assert native == by_library
    assert len(native.tokens) == 2000


def test_tokens_stay_below_32_bytes():
    native, by_library = both_ways({"=" * 256: 4, "ab" * 100: 3}, 400)
    assert native == by_library
    assert 24 <= max(map(len, native.tokens)) <= 31


def test_counts_may_exceed_32_bits():
    assert learn_merges({"ab": 2**40, "cd": 2**41}, 258).merges == (("c", "d"), ("a", "b"))


def test_a_tokenizer_is_the_same_without_compiler(monkeypatch):
    trained = train_tokenizer(sample_texts(100), TokenizerSettings(), 600)
    monkeypatch.setattr(merge_learning, "_library", unavailable)
    assert train_tokenizer(sample_texts(100), TokenizerSettings(), 600).fingerprint == trained.fingerprint
