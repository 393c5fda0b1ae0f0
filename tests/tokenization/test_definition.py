import dataclasses

import pytest

from smidgen.recipes.tokenizer import SpecialTokens
from smidgen.tokenization.byte_symbols import byte_symbols
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.splits import Splits
from smidgen.tokenization.text_rules import TextRules

BYTES = tuple(sorted(byte_symbols()))
SMALL = Definition(
    special_tokens=SpecialTokens(),
    splits=Splits(),
    rules=TextRules(),
    tokens=("<|endoftext|>", *BYTES, "ab", "abc"),
    merges=(("a", "b"), ("ab", "c")),
)


def changed(**values):
    return dataclasses.replace(SMALL, **values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"special_tokens": SpecialTokens(end_of_text="abc")}, '"abc" also comes out of ordinary text'),
        ({"special_tokens": SpecialTokens(pad="a")}, '"a" also comes out of ordinary text; "<|a|>" would not'),
        ({"special_tokens": SpecialTokens(pad="<pad>")}, "first tokens are .* instead of"),
        ({"tokens": (*SMALL.tokens, "new")}, '"new" does not stand for exactly one byte or merge'),
        ({"tokens": SMALL.tokens[:-1]}, '"abc" does not stand for'),
        ({"tokens": (*SMALL.tokens, "ab")}, '"ab" does not stand for'),
        ({"tokens": tuple(token for token in SMALL.tokens if token != "!")}, '"!" does not stand for'),
        ({"merges": (("a", "b"), ("a", "bc"))}, 'uses "bc", which is no token'),
    ],
)
def test_a_vocabulary_that_is_not_special_tokens_bytes_and_merges_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        changed(**values)


def test_two_merges_may_make_the_same_token():
    tokens = ("<|endoftext|>", *BYTES, "ab", "bc", "abc")
    definition = changed(tokens=tokens, merges=(("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc")))
    assert definition.encoder().encode("abc").ids == [tokens.index("abc")]


def test_the_fingerprint_changes_with_everything_that_decides_ids():
    variants = [
        SMALL,
        changed(splits=Splits(digits=True)),
        changed(rules=TextRules(map_case=True)),
        changed(tokens=("<|endoftext|>", *BYTES, "abc", "ab")),
        changed(merges=(("ab", "c"), ("a", "b"))),
        changed(special_tokens=SpecialTokens(end_of_text="<eot>"), tokens=("<eot>", *SMALL.tokens[1:])),
    ]
    assert len({variant.fingerprint for variant in variants}) == len(variants)
    assert changed().fingerprint == SMALL.fingerprint


def test_the_library_gives_the_ids_of_the_definition():
    encoder = SMALL.encoder()
    assert encoder.get_vocab() == {token: token_id for token_id, token in enumerate(SMALL.tokens)}
    assert [SMALL.tokens[i] for i in encoder.encode("abcab<|endoftext|>").ids] == ["abc", "ab", *"<|endoftext|>"]
