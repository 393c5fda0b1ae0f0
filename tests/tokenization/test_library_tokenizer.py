import json

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from smidgen.errors import BadInput
from smidgen.tokenization.library_tokenizer import LibraryTokenizer
from smidgen.tokenization.quality import inspect
from smidgen.tokenization.quality.subject import Subject


def word_piece():
    encoder = Tokenizer(models.WordPiece({"[UNK]": 0, "the": 1, "cat": 2, "##s": 3}, unk_token="[UNK]"))
    encoder.normalizer = normalizers.Lowercase()
    encoder.pre_tokenizer = pre_tokenizers.Whitespace()
    encoder.decoder = decoders.WordPiece()
    encoder.add_special_tokens(["[UNK]", "[CLS]"])
    encoder.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 4)])
    return encoder


def sentence_piece():
    pieces = [
        ("<unk>", 0.0),
        ("\u2581", -2.0),
        ("\u2581the", -1.0),
        ("\u2581cat", -1.5),
        ("<0x0A>", -9.0),
        ("s", -3.0),
    ]
    encoder = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=True))
    encoder.pre_tokenizer = pre_tokenizers.Metaspace()
    encoder.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    return encoder


def with_holes():
    encoder = Tokenizer(models.BPE({"a": 0, "b": 5, "ab": 9, "Ġ": 3}, [("a", "b")]))
    encoder.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    encoder.decoder = decoders.ByteLevel()
    encoder.add_special_tokens([AddedToken("<s>", special=True)])
    return encoder


@pytest.fixture
def opened(tmp_path):
    def call(encoder):
        encoder.save(str(tmp_path / "tokenizer.json"))
        return LibraryTokenizer.open(tmp_path)

    return call


def test_our_own_file_is_read_like_ours(trained, tmp_path):
    trained["plain"].save(tmp_path)
    foreign = LibraryTokenizer.open(tmp_path)
    texts = ["The cat sat. <|endoftext|> 日本\n", ""]
    assert list(foreign.encode_stream(texts)) == [trained["plain"].encode(text) for text in texts]
    assert foreign.vocab_size == trained["plain"].vocab_size
    assert [foreign.content(token_id) for token_id in range(600)] == [
        trained["plain"].content(token_id) for token_id in range(600)
    ]
    assert foreign.notes == ()
    ours, theirs = (
        inspect(one, {"x": texts}) for one in (trained["plain"], Subject.open(tmp_path / "tokenizer.json"))
    )
    assert theirs == ours


def test_a_word_piece_tokenizer_is_measured_with_what_it_loses(opened):
    tokenizer = opened(word_piece())
    assert list(tokenizer.encode_stream(["The cats"])) == [[1, 2, 3]]
    assert [tokenizer.content(token_id) for token_id in (0, 2, 3)] == [
        (b"[UNK]", True),
        (b"cat", False),
        (b"s", False),
    ]
    assert len(tokenizer.notes) == 2
    report = inspect(Subject(name="w", tokenizer=tokenizer, notes=tokenizer.notes), {"x": ["The cats", "the cats"]})
    assert report["roundtrip_failures"] == 1
    assert report["notes"] == list(tokenizer.notes)


def test_pieces_of_sentences_are_read_as_bytes(opened):
    tokenizer = opened(sentence_piece())
    assert [tokenizer.content(token_id)[0] for token_id in range(1, 6)] == [b" ", b" the", b" cat", b"\n", b"s"]
    assert tokenizer.pieces([2, 4]) == [" the", "␊"]


def test_ids_without_a_token_count_as_unused(opened):
    tokenizer = opened(with_holes())
    assert tokenizer.vocab_size == 10
    assert tokenizer.special_ids == {"<s>": 4}
    assert tokenizer.content(2) == (b"", False)
    assert any("5 of its ids have no token" in note for note in tokenizer.notes)
    assert list(tokenizer.encode_stream(["ab ba<s>"])) == [[9, 3, 5, 0]]


def test_long_texts_are_cut_off_nowhere(opened):
    encoder = with_holes()
    encoder.enable_truncation(2)
    encoder.enable_padding(length=5)
    assert list(opened(encoder).encode_stream(["ab" * 4, "a"])) == [[9] * 4, [0]]


def test_a_lone_surrogate_is_refused(opened):
    with pytest.raises(BadInput, match="lone surrogate"):
        list(opened(with_holes()).encode_stream(["\ud800"]))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"model": {}}',
        '{"model": null}',
        "[" * 100_000,
        '{"model": {"type": "BPE", "vocab": 3}}',
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence(content, tmp_path):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(
        BadInput, match=r"tokenizer\.json is no tokenizer that the tokenizers library can read"
    ) as refused:
        LibraryTokenizer.open(tmp_path)
    assert "\n" not in str(refused.value)


def test_an_empty_vocabulary_is_refused(tmp_path):
    empty = Tokenizer(models.BPE())
    (tmp_path / "tokenizer.json").write_text(json.dumps(json.loads(empty.to_str())))
    with pytest.raises(BadInput, match="no token"):
        LibraryTokenizer.open(tmp_path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        LibraryTokenizer.open(tmp_path)
