import pytest

from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.quality import inspect, roundtrip_failures
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.tokenization.training import train_tokenizer

from .sample_text import sample_texts


@pytest.fixture(scope="module")
def small():
    """Bytes, the end of a text and the tokens "ab" and "abc"."""
    return train_tokenizer(["abc", "abc", "ab"], TokenizerSettings(), 259)


def test_bytes_tokens_and_use_of_the_vocabulary_are_counted(small):
    report = inspect(small, {"letters": ["abc" * 4, "é"], "more": ["ab" * 9], "nothing": []})
    assert report == {
        "vocab_size": 259,
        "bytes_per_token": {"letters": 14 / 6, "more": 2.0, "nothing": 0.0},
        "tokens": {"letters": 6, "more": 9, "nothing": 0},
        # Of 258 tokens that text can have, "ab", "abc" and the two bytes of é occur.
        "unused": 254,
        "unused_bytes": 254,
        "rare": 258,
        "longest_tokens": report["longest_tokens"],
        "roundtrip_failures": 0,
    }
    assert report["longest_tokens"][:3] == ["abc", "ab", "!"]


def test_a_token_is_rare_below_ten_occurrences(small):
    assert inspect(small, {"x": ["ab" * 9]})["rare"] == 258
    assert inspect(small, {"x": ["ab" * 10]})["rare"] == 257
    assert inspect(small, {"x": ["ab" * 9], "y": ["ab"]})["rare"] == 257


def test_bytes_are_those_of_the_original_text(trained):
    text = "NASA NASA"
    report = inspect(trained["everything"], {"capitals": [text]})
    assert report["bytes_per_token"]["capitals"] == 9 / len(trained["everything"].encode(text))


def test_texts_may_come_from_a_generator(tokenizer):
    texts = sample_texts(20, seed=2)
    assert inspect(tokenizer, {"sample": iter(texts)}) == inspect(tokenizer, {"sample": texts})


def test_sound_tokenizers_have_no_failures(tokenizer):
    assert roundtrip_failures(tokenizer, [*sample_texts(20, seed=2), "", "<|endoftext|>"]) == []


def test_failures_are_found(trained):
    class Broken(Tokenizer):
        def decode(self, token_ids, *, skip_special=True):
            return super().decode(token_ids, skip_special=skip_special).replace("\u212a", "K")

    broken = Broken(trained["plain"].definition)
    assert roundtrip_failures(broken, ["fine", "300 \u212a", "K"]) == ["300 \u212a"]
    assert inspect(broken, {"a": ["fine", "300 \u212a"], "b": ["K"]})["roundtrip_failures"] == 1


def test_a_control_token_out_of_text_is_a_failure(trained):
    tokenizer = Tokenizer(trained["plain"].definition)
    tokenizer._encoder.encode_special_tokens = False
    assert roundtrip_failures(tokenizer, ["a<|endoftext|>", "a"]) == ["a<|endoftext|>"]
