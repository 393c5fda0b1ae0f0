"""The tokenizer's folder, as transformers reads it without any code of ours."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from smidgen.tokenization.tokenizer import StreamingDecoder

from .awkward_text import awkward_texts
from .kinds import KINDS

TEXTS = awkward_texts(300, seed=4)


@pytest.fixture(scope="module")
def read(trained, tmp_path_factory):
    """What transformers makes of each kind."""
    folders = {kind: tmp_path_factory.mktemp("portable") for kind in KINDS}
    for kind, folder in folders.items():
        trained[kind].save(folder)
    return {kind: AutoTokenizer.from_pretrained(folder, trust_remote_code=False) for kind, folder in folders.items()}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_it_is_a_class_of_transformers(read, kind):
    assert isinstance(read[kind], PreTrainedTokenizerFast)
    assert type(read[kind]).__module__.startswith("transformers.")


def test_texts_get_our_ids_and_come_back(read, trained, kind):
    expected = trained[kind].encode_batch(TEXTS)
    assert read[kind](TEXTS, split_special_tokens=True)["input_ids"] == expected
    assert [read[kind].encode(text, split_special_tokens=True) for text in TEXTS] == expected
    assert [read[kind].decode(ids) for ids in expected] == TEXTS


@given(
    text=st.text(
        alphabet=st.one_of(st.sampled_from("019aZ \n+=(\x0e\x0f\x10\x11!_^é\ufeff"), st.characters(codec="utf-8"))
    )
)
@settings(max_examples=100, deadline=None)
def test_any_text_does(read, trained, text):
    for kind in KINDS:
        ids = read[kind](text)["input_ids"]
        assert ids == trained[kind].encode(text)
        assert read[kind].decode(ids) == text


@given(ids=st.lists(st.integers(5, 599), max_size=12))
@settings(max_examples=100, deadline=None)
def test_whatever_a_model_writes_is_decoded_as_we_decode_it(read, trained, ids):
    for kind in KINDS:
        streamed = StreamingDecoder(trained[kind])
        assert read[kind].decode(ids) == trained[kind].decode(ids)
        assert read[kind].decode(ids) == "".join([*map(streamed.push, ids), streamed.flush()])


def test_a_control_token_in_a_text_is_recognised_unless_it_is_to_be_split(read, trained, kind):
    tokenizer, theirs = trained[kind], read[kind]
    text = "The 12<|endoftext|>34 AB"
    before, after = tokenizer.encode("The 12"), tokenizer.encode("34 AB")
    assert theirs(text)["input_ids"] == [*before, tokenizer.end_of_text_id, *after]
    assert theirs(text, split_special_tokens=True)["input_ids"] == tokenizer.encode(text)
    assert theirs(text)["input_ids"] == [*before, tokenizer.end_of_text_id, *after]
    assert theirs.decode([*before, tokenizer.end_of_text_id, *after]) == text


def test_a_reader_can_be_told_once_to_take_control_tokens_for_text(trained, tmp_path):
    trained["everything"].save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path, split_special_tokens=True)
    text = "The 12<|endoftext|>34 AB"
    assert theirs(text)["input_ids"] == trained["everything"].encode(text)


def test_digits_join_across_a_control_token_that_is_skipped(read, trained):
    """A known difference: whoever reads tokenizer.json alone drops the token before any rule is undone."""
    tokenizer = trained["everything"]
    ids = [*tokenizer.encode("12"), tokenizer.end_of_text_id, *tokenizer.encode("34")]
    assert tokenizer.decode(ids) == "1234"
    assert read["everything"].decode(ids, skip_special_tokens=True) == "3412"
    assert read["everything"].decode(ids) == tokenizer.decode(ids, skip_special=False)


def test_saved_by_transformers_it_gives_the_same_ids(read, trained, kind, tmp_path):
    read[kind].save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path, trust_remote_code=False)
    assert again(TEXTS, split_special_tokens=True)["input_ids"] == trained[kind].encode_batch(TEXTS)
