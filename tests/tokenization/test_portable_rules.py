import itertools
import time
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import decoders, normalizers

from smidgen.tokenization import portable_rules
from smidgen.tokenization.portable import portable_encoder
from smidgen.tokenization.text_rules import CLOSING, TextRules

from .awkward_text import awkward_texts, runs

RULES = {
    "digits": TextRules(reverse_digits=True),
    "capitals": TextRules(map_case=True),
    "both": TextRules(reverse_digits=True, map_case=True),
    "closing alone": TextRules(close_numbers=True),
    "closing": TextRules(reverse_digits=True, close_numbers=True),
    "all": TextRules(reverse_digits=True, map_case=True, close_numbers=True),
}
ANY_TEXT = st.lists(
    st.one_of(
        st.sampled_from([*"abAB 019é\n\x0e\x0f\x10\x11!_^~|>", "\x10!", " The", "NASA", *'\x12\x13\x1b"#@']),
        st.integers(1, 70).map(lambda length: ("1234567890" * 7)[:length]),
        st.integers(1, 40).map(lambda length: "AB" * length),
        st.integers(1, 40).map(lambda length: "ab" * length),
        st.characters(codec="utf-8"),
    ),
    max_size=12,
).map("".join)


@pytest.fixture(params=RULES)
def rules(request):
    return RULES[request.param]


@cache
def applied(rules):
    return normalizers.Sequence(portable_rules.normalizer(rules)).normalize_str


@cache
def inverted(rules):
    steps = decoders.Sequence([decoders.Fuse(), *portable_rules.decoder(rules)])
    return lambda text: steps.decode([text])


def agree(rules, texts):
    apply, invert = applied(rules), inverted(rules)
    for text in texts:
        mapped = rules.apply(text)
        assert apply(text) == mapped
        assert invert(mapped) == text
        # A model may write anything.
        assert invert(text) == rules.invert(text)


def test_every_run_is_rewritten_as_the_rules_do_it(rules):
    agree(rules, runs())


def test_every_short_text_of_awkward_characters_is(rules):
    texts = [
        "".join(text) for length in range(5) for text in itertools.product("aB 1\x0e\x0f\x10\x11!", repeat=length)
    ]
    assert len(texts) == 7381
    agree(rules, texts)


@pytest.mark.parametrize("rules", [RULES["closing"], RULES["all"]], ids=["closing", "all"])
def test_every_short_text_of_digits_and_closing_marks_is(rules):
    texts = [
        "".join(text) for length in range(5) for text in itertools.product("a12\x10\x11\x12\x13#", repeat=length)
    ]
    agree(rules, texts)


@given(text=ANY_TEXT)
def test_any_text_is(text):
    for rules in RULES.values():
        agree(rules, [text])


def test_no_step_of_the_encoding_can_be_left_out(trained):
    """Otherwise the tests here could not notice that it is wrong."""
    definition = trained["everything closing"].definition
    encoder = portable_encoder(definition)
    texts = [*runs(), " ".join(CLOSING), "01 10 7"]
    expected = [trained["everything closing"].encode(text) for text in texts]
    steps = portable_rules.normalizer(definition.rules)
    for left_out in range(len(steps) + 1):
        encoder.normalizer = normalizers.Sequence([*steps[:left_out], *steps[left_out + 1 :]])
        ids = (encoder.encode(text, add_special_tokens=False).ids for text in texts)
        # Leaving out the one behind the last step must change nothing.
        assert all(map(list.__eq__, ids, expected)) == (left_out == len(steps)), steps[left_out]


def test_no_step_of_the_decoding_can_be_left_out():
    rules = RULES["all"]
    texts = [*map(rules.apply, (*runs(), CLOSING)), "\x0e", "\x0f1 \x10~ \x10"]
    steps = portable_rules.decoder(rules)
    for left_out in range(len(steps) + 1):
        decoder = decoders.Sequence([decoders.Fuse(), *steps[:left_out], *steps[left_out + 1 :]])
        same = all(decoder.decode([text]) == rules.invert(text) for text in texts)
        assert same == (left_out == len(steps)), steps[left_out]


@pytest.mark.parametrize(
    "unit", ["a", "A", "aA", " A", "1", "12 ", 64 * "1" + " ", "\x0e", "\x0f ", "\x10", "\x11", "\x12"]
)
def test_a_long_text_of_the_same_takes_linear_time(trained, unit):
    encoder = portable_encoder(trained["everything closing"].definition)
    text = unit * (100_000 // len(unit))
    before = time.process_time()
    # 0.1 to 1 s; in quadratic time it would be minutes.
    assert encoder.decode(encoder.encode(text).ids) == text
    assert time.process_time() - before < 10


def test_texts_of_all_kinds_agree_too(rules):
    agree(rules, awkward_texts(300, seed=1))
