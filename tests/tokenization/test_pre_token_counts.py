import random
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.errors import BadInput
from smidgen.tokenization import pre_token_counts
from smidgen.tokenization.pre_token_counts import Limits, count_pre_tokens
from smidgen.tokenization.splits import Splits
from smidgen.tokenization.text_rules import TextRules

from .kinds import KINDS
from .sample_text import sample_texts

PLAIN = Splits().pre_tokenizer()
# Blanks of every kind, what Python takes for one and the splits do not, contractions, runs and markers.
BLANKS = (
    " ", "  ", "\n", "\r\n", "\t", "\v", "\f", "\x1c", "\x1f", "\x85", "\xa0", "\u3000", "\u2028", "\u200b",
)  # fmt: skip
OTHERS = (
    "a", "Bc", "DEF", "é", "日本", "12", "٣", "'s", "'", ".", "!?", "-=", "_", "\x0e", "\x0f", "\x10", "😀", "\0",
)  # fmt: skip
HARD = st.lists(st.sampled_from(BLANKS + OTHERS), max_size=20).map("".join)


def counted_whole(texts, splits):
    return Counter(piece for text in texts for piece, _ in splits.pre_tokenize_str(text))


@pytest.fixture
def few(monkeypatch):
    """Pieces are taken apart after a few, so that several rounds meet in one count."""
    monkeypatch.setattr(pre_token_counts, "_MOST_PIECES", 50)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("few")
def test_counts_are_those_of_whole_texts(kind):
    settings = KINDS[kind]
    rules = TextRules(reverse_digits=settings.digits == "reversed", map_case=settings.case_mapping)
    texts = [rules.apply(text) for text in sample_texts(60)]
    splits = Splits.of(settings).pre_tokenizer()
    found = count_pre_tokens(texts, splits)
    assert found.counts == counted_whole(texts, splits)
    assert (found.one_in, found.rare_below) == (1, 0)


@given(texts=st.lists(HARD | st.text(max_size=20), max_size=4), whitespace=st.booleans(), digits=st.booleans())
@settings(max_examples=400, deadline=None)
def test_no_text_is_cut_inside_a_pre_token(texts, whitespace, digits):
    splits = Splits(whitespace=whitespace, digits=digits, operators=digits).pre_tokenizer()
    assert count_pre_tokens(texts, splits).counts == counted_whole(texts, splits)


def test_a_lone_surrogate_is_refused():
    with pytest.raises(BadInput, match="lone surrogate"):
        count_pre_tokens(["a \ud800"], PLAIN)


def test_counts_on_disk_are_the_same():
    texts = sample_texts(60)
    on_disk = count_pre_tokens(texts, PLAIN, Limits(held=20, kept=100_000))
    assert on_disk.counts == count_pre_tokens(texts, PLAIN).counts
    assert on_disk.one_in == 1


def endless_texts(seed=1):
    """Four common words among ones that hardly come again."""
    draw = random.Random(seed)
    return [
        " ".join(
            [draw.choice(("the", "cat", "sat", "mat"))]
            + ["".join(draw.choices("abcdefgh", k=draw.randint(4, 7))) for _ in range(8)]
        )
        for _ in range(400)
    ]


def test_of_too_many_pre_tokens_a_sample_stands_for_the_rare_ones():
    texts = endless_texts()
    exact = count_pre_tokens(texts, PLAIN).counts
    found = count_pre_tokens(texts, PLAIN, Limits(held=300, kept=600))
    assert len(exact) > 2500
    assert 250 < len(found.counts) <= 600
    assert found.rare_below == 10
    assert found.one_in in (4, 8, 16)
    for pre_token, count in found.counts.items():
        assert count == exact[pre_token] * (found.one_in if exact[pre_token] < 10 else 1)
    # Common ones are all there, and the sample weighs as much as what it stands for.
    assert {pre_token for pre_token, count in exact.items() if count >= 10} <= set(found.counts)
    assert sum(found.counts.values()) == pytest.approx(sum(exact.values()), rel=0.15)


def test_the_sample_depends_on_no_order():
    texts = endless_texts()
    shuffled = random.Random(2).sample(texts, len(texts))
    limits = Limits(held=300, kept=600)
    assert count_pre_tokens(texts, PLAIN, limits) == count_pre_tokens(shuffled, PLAIN, limits)
    assert count_pre_tokens([" ".join(["", *texts])], PLAIN, limits).counts.keys() >= set(
        count_pre_tokens(texts, PLAIN, limits).counts
    ) - {"the", "cat", "sat", "mat"}


def test_long_pre_tokens_count_by_their_length():
    texts = [
        " ".join("".join(random.Random(n).choices("abcd", k=100)) for n in range(start, start + 50))
        for start in range(0, 1000, 50)
    ]
    found = count_pre_tokens(texts, PLAIN, Limits(held=100, kept=500, bytes_each=16))
    assert sum(map(len, found.counts)) <= 500 * 16
    assert found.one_in > 1


def test_frequent_pre_tokens_beyond_the_limit_are_sampled_too():
    texts = [" ".join(str(number) for number in range(1000))] * 12
    found = count_pre_tokens(texts, PLAIN, Limits(held=100, kept=200))
    assert len(found.counts) <= 200
    assert found.rare_below == 100


@pytest.mark.parametrize(
    "text", ["a" * 300_000, "1" * 300_000, "😀" * 100_000, "a,b;" * 80_000, " " * 300_000, "日本語" * 50_000]
)
def test_a_text_without_end_takes_linear_time(text):
    def seconds(size):
        started = time.process_time()
        count_pre_tokens([text[:size]], PLAIN)
        return time.process_time() - started

    half = min(seconds(len(text) // 4) for _ in range(3))
    assert min(seconds(len(text)) for _ in range(3)) < 12 * max(half, 0.005)


def test_pre_tokens_are_counted_in_parts_of_256_bytes():
    assert count_pre_tokens(["x" * 600], PLAIN).counts == {"x" * 256: 2, "x" * 88: 1}
