import pytest

from smidgen.errors import BadInput
from smidgen.evaluation.pair_encoding import PairNotes, encode_pairs, prefix_id
from smidgen.recipes.tokenizer import SpecialTokens, TokenizerSettings
from smidgen.tokenization.training import train_tokenizer

TEXT = 50 * ["the other cats sat on the mat with the others\n"]


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXT, TokenizerSettings(), 270)


def test_white_space_at_the_end_of_a_context_belongs_to_the_continuation(tokenizer):
    [moved], _ = encode_pairs(tokenizer, [("the cats \n", "sat")])
    assert tokenizer.decode(moved.context) == "the cats"
    assert tokenizer.decode(moved.continuation) == " \nsat"


def test_the_continuation_is_what_the_joined_text_has_after_the_context(tokenizer):
    [pair], notes = encode_pairs(tokenizer, [("the cats sat", " on the mat")])
    assert [*pair.context, *pair.continuation] == tokenizer.encode("the cats sat on the mat")
    assert notes == PairNotes()


def test_a_token_over_the_whole_continuation_is_taken_apart_and_counted(tokenizer):
    assert len(tokenizer.encode("the")) == len(tokenizer.encode("th")) == 1
    [first, spanned], notes = encode_pairs(tokenizer, [("a", " b"), ("th", "e")])
    assert first.continuation == tuple(tokenizer.encode(" b"))
    assert (spanned.context, spanned.continuation) == (tuple(tokenizer.encode("th")), tuple(tokenizer.encode("e")))
    assert notes == PairNotes(spanned=1)


def test_a_blank_context_counts_and_an_empty_one_does_not(tokenizer):
    pairs, notes = encode_pairs(tokenizer, [("", "cats"), (" \n", "cats")])
    assert [pair.context for pair in pairs] == 2 * [(tokenizer.end_of_text_id,)]
    assert tokenizer.decode(pairs[1].continuation) == " \ncats"
    assert notes == PairNotes(blank_contexts=1)


def test_apart_means_that_nothing_moves(tokenizer):
    [pair], notes = encode_pairs(tokenizer, [("th ", "e")], jointly=False)
    assert (pair.context, pair.continuation) == (tuple(tokenizer.encode("th ")), tuple(tokenizer.encode("e")))
    assert notes == PairNotes()


def test_the_prefix_is_the_bos_token_where_there_is_one(tokenizer):
    with_bos = train_tokenizer(TEXT, TokenizerSettings(special_tokens=SpecialTokens(bos="<s>")), 270)
    assert prefix_id(with_bos) == with_bos.special_ids["bos"] != with_bos.end_of_text_id
    assert prefix_id(tokenizer) == tokenizer.end_of_text_id


def test_an_empty_continuation_is_refused_with_its_context(tokenizer):
    for jointly in (True, False):
        with pytest.raises(BadInput, match='after "the cats" is empty'):
            encode_pairs(tokenizer, [("a", "b"), ("the cats", "")], jointly=jointly)


def test_no_pairs_are_no_pairs(tokenizer):
    assert encode_pairs(tokenizer, []) == ([], PairNotes())


def test_each_distinct_text_is_tokenised_once(tokenizer, monkeypatch):
    seen: list[str] = []

    def encode_batch(texts):
        seen.extend(texts)
        return [tokenizer.encode(text) for text in texts]

    monkeypatch.setattr(tokenizer, "encode_batch", encode_batch)
    encode_pairs(tokenizer, [("the cats", " sat"), ("the cats", " ran"), ("the cats", " sat")])
    assert sorted(seen) == ["the cats", "the cats ran", "the cats sat"]
