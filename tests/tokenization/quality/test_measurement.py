import pytest

from smidgen.recipes.tokenizer import SpecialTokens, TokenizerSettings
from smidgen.tokenization.quality import inspect
from smidgen.tokenization.quality.measurement import measure
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.tokenization.training import train_tokenizer

FOUR = SpecialTokens(pad="<pad>", bos="<bos>", eos="<eos>")
TEXTS = ["The old cat sat. NASA's 12 cats did not.\n", "Naïve 日本 McDonald 3 + 4 = 7\n\n  x", ""]


@pytest.fixture(scope="module")
def small():
    """Bytes, the end of a text and the tokens "ab" and "abc"."""
    return train_tokenizer(["abc", "abc", "ab"], TokenizerSettings(), 259)


def test_bytes_tokens_and_use_of_the_vocabulary_are_counted(small):
    report = inspect(small, {"letters": ["abc" * 4, "é"], "more": ["ab" * 9], "nothing": []})
    assert report["vocab_size"] == 259
    assert report["bytes_per_token"] == {"letters": 14 / 6, "more": 2.0, "nothing": 0.0}
    assert report["tokens"] == {"letters": 6, "more": 9, "nothing": 0}
    assert report["text_bytes"] == {"letters": 14, "more": 18, "nothing": 0}
    assert report["documents"] == {"letters": 2, "more": 1, "nothing": 0}
    # Of 258 tokens that text can have, "ab", "abc" and the two bytes of é occur.
    assert (report["unused"], report["unused_bytes"], report["rare"]) == (254, 254, 258)
    assert report["unused_by_kind"] == {"control": 1, "bytes": 254, "merges": 0}
    assert report["rare_by_kind"] == {"control": 1, "bytes": 256, "merges": 2}
    assert report["longest_tokens"][:3] == ["abc", "ab", "!"]
    assert report["commonest_tokens"] == ["ab", "abc", "\\xc3", "\\xa9"]
    assert (report["roundtrip_failures"], report["notes"]) == (0, [])


def test_spending_is_told_by_kind_and_domain(small):
    report = inspect(small, {"letters": ["abc" * 4, "é"], "more": ["ab" * 9], "nothing": []})
    assert report["spent_by_domain"]["letters"] == {
        "letters": {"tokens": 4 / 6, "bytes": 12 / 14},
        "parts of characters": {"tokens": 2 / 6, "bytes": 2 / 14},
    }
    assert report["spent_by_domain"]["nothing"] == {}
    assert report["spent"]["letters"] == {"tokens": 13 / 15, "bytes": 30 / 32}


@pytest.mark.parametrize("kind", ["plain", "single digits", "arithmetic", "cased", "everything"])
def test_shares_add_up(kind, trained):
    spent = inspect(trained[kind], {"text": TEXTS})["spent"]
    for share in ("tokens", "bytes"):
        assert sum(found[share] for found in spent.values()) == pytest.approx(1)


def test_capitals_are_tokens_of_their_own_only_behind_markers(trained):
    plain, cased = (inspect(trained[kind], {"text": TEXTS})["spent"] for kind in ("plain", "cased"))
    assert "case markers" not in plain
    assert plain["capitals"]["bytes"] > 0
    assert cased["case markers"]["tokens"] > 0
    assert cased["case markers"]["bytes"] < 0.02


def test_a_token_is_rare_below_ten_occurrences(small):
    assert inspect(small, {"x": ["ab" * 9]})["rare"] == 258
    assert inspect(small, {"x": ["ab" * 10]})["rare"] == 257
    assert inspect(small, {"x": ["ab" * 9], "y": ["ab"]})["rare"] == 257


def test_entropy_is_that_of_all_tokens(small):
    report = inspect(small, {"x": ["ab", "c"], "y": ["abc", "d"]})
    assert report["entropy_bits"] == 2
    assert report["effective_vocab_size"] == 4
    assert report["unigram_bits_per_byte"] == 2 / (7 / 4)
    nothing = inspect(small, {"x": []})
    assert (nothing["entropy_bits"], nothing["effective_vocab_size"], nothing["renyi_efficiency"]) == (0, 0, 0)


def test_bytes_are_those_of_the_original_text(trained):
    text = "NASA NASA"
    report = inspect(trained["everything"], {"capitals": [text]})
    assert report["bytes_per_token"]["capitals"] == 9 / len(trained["everything"].encode(text))


def test_texts_may_come_from_a_generator(trained):
    assert inspect(trained["cased"], {"sample": iter(TEXTS)}) == inspect(trained["cased"], {"sample": TEXTS})


def test_control_tokens_count_as_neither_used_nor_unused():
    trained = train_tokenizer(["abc abc"], TokenizerSettings(special_tokens=FOUR), 260)
    report = inspect(trained, {"x": ["abc"]})
    assert report["unused_by_kind"] == {"control": 4, "bytes": 253, "merges": 0}
    assert report["unused"] == 253


def test_failures_are_counted(trained):
    class Broken(Tokenizer):
        def decode(self, token_ids, *, skip_special=True):
            return super().decode(token_ids, skip_special=skip_special).replace("\u212a", "K")

    broken = Broken(trained["plain"].definition)
    assert inspect(broken, {"a": ["fine", "300 \u212a"], "b": ["K"]})["roundtrip_failures"] == 1


def test_documents_keep_their_bytes_and_tokens(small):
    measured = measure(small, {"x": ["abc" * 3, "é", ""]})
    assert measured.domains["x"].document_bytes.tolist() == [9, 2, 0]
    assert measured.domains["x"].document_tokens.tolist() == [3, 2, 0]


def test_progress_is_told_by_domain(small):
    told = []
    measure(
        small, {"x": ["abc", "é"], "y": ["a"]}, progress=lambda domain, text_bytes: told.append((domain, text_bytes))
    )
    assert told == [("x", 3), ("x", 2), ("y", 1)]
