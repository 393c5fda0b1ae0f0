import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smidgen.errors import BadInput
from smidgen.tokenization.proof_texts import CAPITALS
from smidgen.tokenization.tokenizer import StreamingDecoder, Tokenizer

from .kinds import KINDS
from .sample_text import sample_texts

SPECIAL_NAMES = ("<|endoftext|>", "<pad>", "<bos>", "<eos>", "<unk>")
MANY_TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="abAB 019+=\n\x0e\x0f\x10\x11é😀", max_size=60),
    st.lists(st.sampled_from([*SPECIAL_NAMES, *CAPITALS, "12", " ", "x"]), max_size=8).map("".join),
)
PER_TOKENIZER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def assert_round_trips(tokenizer, texts):
    """Every text comes back, and no control token came out of it."""
    encoded = tokenizer.encode_batch(texts)
    first_ordinary = len(tokenizer.special_ids)
    assert [text for text, ids in zip(texts, encoded, strict=True) if min(ids, default=9) < first_ordinary] == []
    assert [text for text, ids in zip(texts, encoded, strict=True) if tokenizer.decode(ids) != text] == []


@given(text=MANY_TEXTS)
@PER_TOKENIZER
def test_any_text_comes_back(tokenizer, text):
    assert_round_trips(tokenizer, [text])


def test_digits_come_back_beside_anything(tokenizer):
    assert_round_trips(tokenizer, ["1" * 5000, "0" * 200, "x12y", "12.34", "1٣2", "-12", "1\x0e2", "1 2\n34", "½12²"])


def test_ordinary_text_comes_back(tokenizer):
    assert_round_trips(tokenizer, sample_texts(50, seed=3))


def test_arithmetic_is_written_with_the_least_significant_digit_first(trained):
    tokenizer = trained["arithmetic"]
    assert tokenizer.pieces(tokenizer.encode("104 + 9 = 113")) == [*"401", " ", "+", " ", "9", " ", "=", " ", *"311"]


def test_a_word_has_the_same_token_however_it_is_capitalised(trained):
    tokenizer = trained["cased"]
    lower, title, upper = (tokenizer.encode(text) for text in (" the", " The", " THE"))
    assert title[1:] == upper[1:] == lower
    assert tokenizer.pieces([title[0], upper[0]]) == ["␎", "␏"]


def test_the_name_of_a_control_token_inside_text_is_text(tokenizer):
    texts = [
        before + name + after for name in SPECIAL_NAMES for before in ("", "a ", "1") for after in ("", "b", "\n")
    ]
    assert_round_trips(tokenizer, texts)
    assert_round_trips(tokenizer, [text + "".join(SPECIAL_NAMES) for text in sample_texts(100, seed=5)])


def test_the_library_itself_would_make_control_tokens_out_of_text(trained):
    encoder = trained["plain"].definition.encoder()
    assert encoder.encode("<|endoftext|>").ids != [0]
    encoder.encode_special_tokens = False
    assert encoder.encode("<|endoftext|>").ids == [0]


def test_control_tokens_stay_out_of_text_after_saving_and_after_pickling(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    for copy in (Tokenizer.open(tmp_path), pickle.loads(pickle.dumps(tokenizer))):
        assert_round_trips(copy, ["".join(SPECIAL_NAMES)])
        assert copy.encode("The 12 <pad>") == tokenizer.encode("The 12 <pad>")
        assert copy.fingerprint == tokenizer.fingerprint


def test_texts_at_once_get_the_ids_of_texts_one_by_one(tokenizer):
    texts = ["", "a", *sample_texts(20, seed=9), "", "word " * 40_000, "é" * 70_000, "z"]
    one_by_one = [tokenizer.encode(text) for text in texts]
    assert tokenizer.encode_batch(texts) == one_by_one
    assert list(tokenizer.encode_stream(iter(texts))) == one_by_one
    assert one_by_one[0] == []
    assert tokenizer.encode_batch([]) == []


def test_a_stream_is_not_read_to_its_end_before_the_first_ids_come(trained):
    read = []
    texts = (read.append(number) or "x" * 100_000 for number in range(50))
    next(trained["plain"].encode_stream(texts))
    assert 0 < len(read) < 10


def test_a_lone_surrogate_is_refused(tokenizer):
    with pytest.raises(BadInput, match="lone surrogate"):
        tokenizer.encode("ok \udcff")
    with pytest.raises(BadInput, match="lone surrogate"):
        tokenizer.encode_batch(["fine", "\ud800"])


def test_bytes_that_are_no_utf8_become_replacement_characters(tokenizer):
    ids = tokenizer.encode("€a")
    assert tokenizer.pieces(ids) == ["\\xe2", "\\x82", "\\xac", "a"]
    assert tokenizer.decode([*ids[:2], *ids]) == "\ufffd€a"
    assert tokenizer.decode(ids[:1]) == "\ufffd"


def test_the_library_decodes_the_same(trained):
    tokenizer = trained["plain"]
    encoder = tokenizer.definition.encoder()
    broken = [[(37 * i * i + j) % 600 for i in range(j % 23)] for j in range(500)]
    assert any("\ufffd" in tokenizer.decode(ids) for ids in broken)
    for ids in (ids for ids in broken if 0 not in ids):
        assert tokenizer.decode(ids) == encoder.decode(ids)


def test_a_control_token_ends_a_text_whether_it_is_shown_or_not(trained):
    tokenizer = trained["everything"]
    end = tokenizer.end_of_text_id
    ids = [*tokenizer.encode("NASA 12"), end, *tokenizer.encode("34 it")]
    assert tokenizer.decode(ids) == "NASA 1234 it"
    assert tokenizer.decode(ids, skip_special=False) == "NASA 12<|endoftext|>34 it"
    assert tokenizer.decode([end, end], skip_special=False) == "<|endoftext|>" * 2


@pytest.mark.parametrize("token_id", [600, -1, 10**12])
def test_ids_outside_the_vocabulary_are_refused(trained, token_id):
    tokenizer = trained["plain"]
    for use in (tokenizer.pieces, tokenizer.decode, lambda ids: StreamingDecoder(tokenizer).push(ids[0])):
        with pytest.raises(BadInput, match=f"token id {token_id} is not in the vocabulary of 600"):
            use([token_id])


@given(ids=st.lists(st.integers(0, 599), max_size=40), skip_special=st.booleans())
@PER_TOKENIZER
def test_tokens_one_by_one_decode_as_all_at_once(tokenizer, ids, skip_special):
    decoder = StreamingDecoder(tokenizer, skip_special=skip_special)
    parts = [*map(decoder.push, ids), decoder.flush()]
    assert "".join(parts) == tokenizer.decode(ids, skip_special=skip_special)


@given(text=MANY_TEXTS)
@PER_TOKENIZER
def test_a_stream_may_be_cut_anywhere(tokenizer, text):
    ids = tokenizer.encode(text)
    for cut in range(len(ids) + 1):
        decoder = StreamingDecoder(tokenizer)
        before = "".join(map(decoder.push, ids[:cut]))
        assert text.startswith(before)
        assert before + "".join(map(decoder.push, ids[cut:])) + decoder.flush() == text


def test_a_decoder_goes_on_after_a_flush(trained):
    tokenizer = trained["everything"]
    decoder = StreamingDecoder(tokenizer)
    euro = tokenizer.encode("€")
    assert decoder.push(euro[0]) + decoder.flush() == "\ufffd"
    assert "".join(map(decoder.push, euro)) + decoder.flush() == "€"


def test_streaming_shows_text_as_soon_as_it_is_certain(trained):
    plain, everything = trained["plain"], trained["everything"]
    assert pushed(plain, "1x €")[-3:] == ["", "", "€"]
    assert pushed(plain, "1x €")[0] == "1"
    assert pushed(everything, "12 €") == ["", "", "12 ", "", "", "€"]


def pushed(tokenizer, text):
    decoder = StreamingDecoder(tokenizer)
    return [decoder.push(token_id) for token_id in tokenizer.encode(text)]


def test_pieces_show_control_characters_as_pictures(trained):
    tokenizer = trained["single digits"]
    assert "".join(tokenizer.pieces(tokenizer.encode("a\x1b[31m\x00\x7f\n"))) == "a␛[31m␀␡␊"
    assert tokenizer.pieces([tokenizer.end_of_text_id]) == ["<|endoftext|>"]


def test_special_ids_are_the_first_in_the_order_of_the_recipe(trained):
    assert trained["plain"].special_ids == {"end_of_text": 0}
    assert trained["arithmetic"].special_ids == {"pad": 0, "bos": 1, "eos": 2, "unk": 3, "end_of_text": 4}
    assert trained["arithmetic"].end_of_text_id == 4


def test_fingerprints_tell_tokenizers_apart(trained):
    assert len({tokenizer.fingerprint for tokenizer in trained.values()}) == len(KINDS)


def test_text_bytes_count_utf8():
    assert Tokenizer.text_bytes("aé😀") == 7
