import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.data.sources import read_documents
from smidgen.errors import BadInput
from smidgen.recipes.tokenizer import SpecialTokens, TokenizerSettings
from smidgen.tokenization import pre_token_counts
from smidgen.tokenization.pre_token_counts import Limits
from smidgen.tokenization.text_rules import TextRules
from smidgen.tokenization.training import train_tokenizer

from .kinds import FIVE, KINDS
from .sample_text import sample_texts

GOLDEN = "bfd97c51abf2c80f6c0a1dc39bb8500751aa1fc45891ae6362c06dacec9ba42d"


@pytest.mark.parametrize("vocab_size", [300, 512, 777])
@pytest.mark.parametrize("kind", KINDS)
def test_the_vocabulary_has_exactly_the_size_asked_for(kind, vocab_size):
    tokenizer = train_tokenizer(sample_texts(200), KINDS[kind], vocab_size)
    assert tokenizer.vocab_size == len(tokenizer.definition.tokens) == vocab_size
    assert tokenizer.definition.encoder().get_vocab_size() == vocab_size


def test_the_smallest_vocabulary_is_bytes_and_special_tokens():
    tokenizer = train_tokenizer(["abc abc"], TokenizerSettings(special_tokens=FIVE), 261)
    assert tokenizer.decode(tokenizer.encode("abc é")) == "abc é"
    with pytest.raises(BadInput, match=r"design.vocab_size=260 is too small.*5 special tokens need 261"):
        train_tokenizer(["abc abc"], TokenizerSettings(special_tokens=FIVE), 260)


def test_too_little_text_is_refused_with_the_size_that_it_supports():
    with pytest.raises(
        BadInput, match=r"supports a vocabulary of 260 entries, but design.vocab_size=300: .*more text"
    ):
        train_tokenizer(["abcd"] * 5, TokenizerSettings(), 300)
    assert train_tokenizer(["abcd"] * 5, TokenizerSettings(), 260).vocab_size == 260


@given(texts=st.lists(st.text(alphabet="ab cé1", min_size=1, max_size=20), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_every_size_up_to_the_supported_one_can_be_had(texts):
    with pytest.raises(BadInput, match="supports a vocabulary of") as refused:
        train_tokenizer(texts, TokenizerSettings(), 2000)
    supported = int(str(refused.value).split("vocabulary of ")[1].split()[0])
    for vocab_size in {257, (257 + supported) // 2, supported}:
        assert train_tokenizer(texts, TokenizerSettings(), vocab_size).vocab_size == vocab_size
    with pytest.raises(BadInput, match=f"supports a vocabulary of {supported} "):
        train_tokenizer(texts, TokenizerSettings(), supported + 1)


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_no_text_is_refused(texts):
    with pytest.raises(BadInput, match=r"no text to train the tokenizer on.*give at least one"):
        train_tokenizer(texts, TokenizerSettings(), 300)


def test_texts_are_read_once_as_they_come():
    texts = sample_texts(50)
    from_generator = train_tokenizer((text for text in texts), TokenizerSettings(), 400)
    assert from_generator.fingerprint == train_tokenizer(texts, TokenizerSettings(), 400).fingerprint


def test_an_error_of_the_source_comes_through():
    def texts():
        yield "some text"
        raise BadInput("page 2 is missing")

    with pytest.raises(BadInput, match="page 2 is missing"):
        train_tokenizer(texts(), TokenizerSettings(), 300)


def test_a_lone_surrogate_is_refused():
    with pytest.raises(BadInput, match="lone surrogate"):
        train_tokenizer(["fine", "\ud800"], TokenizerSettings(), 257)


def test_the_order_of_the_texts_does_not_matter():
    texts = sample_texts(200)
    shuffled = random.Random(1).sample(texts, len(texts))
    assert texts != shuffled
    for kind in ("plain", "everything"):
        fingerprints = {train_tokenizer(order, KINDS[kind], 600).fingerprint for order in (texts, shuffled)}
        assert len(fingerprints) == 1


def test_the_order_of_files_and_of_their_documents_does_not_matter(tmp_path):
    texts = sample_texts(120)
    shuffled = random.Random(1).sample(texts, len(texts))
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text("".join(json.dumps({"text": text}) + "\n" for text in shuffled[:50]))
    second.write_text("".join(json.dumps({"text": text}) + "\n" for text in shuffled[50:]))

    def fingerprint(*paths):
        documents = read_documents([str(path) for path in paths], text_key="text", rejected=Counter())
        return train_tokenizer((document.text for document in documents), KINDS["everything"], 500).fingerprint

    assert {fingerprint(first, second), fingerprint(second, first)} == {
        train_tokenizer(texts, KINDS["everything"], 500).fingerprint
    }


def test_the_number_of_threads_does_not_matter():
    assert {fingerprint_with_threads(count) for count in (1, 2, 4)} == {fingerprint_here()}


def fingerprint_here():
    return train_tokenizer(sample_texts(200), TokenizerSettings(), 700).fingerprint


def fingerprint_with_threads(count):
    program = (
        "from sample_text import sample_texts\n"
        "from smidgen.recipes.tokenizer import TokenizerSettings\n"
        "from smidgen.tokenization.training import train_tokenizer\n"
        "print(train_tokenizer(sample_texts(200), TokenizerSettings(), 700).fingerprint)\n"
    )
    environment = {
        **os.environ,
        "RAYON_NUM_THREADS": str(count),
        "TOKENIZERS_PARALLELISM": "true" if count > 1 else "false",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_same_text_gives_the_same_tokenizer_as_ever():
    assert fingerprint_here() == GOLDEN, (
        "the same text and settings now train another tokenizer: recorded runs can no longer be repeated. If that is "
        "meant (new sample text, a new format of the fingerprint), put the new value here and say so in the changelog"
    )


def test_no_token_is_longer_than_32_bytes():
    texts = ["=" * 4096 + "é" * 1000 + "ab" * 77] * 2
    with pytest.raises(BadInput, match="supports a vocabulary of") as refused:
        train_tokenizer(texts, TokenizerSettings(), 1000)
    most = int(str(refused.value).split("vocabulary of ")[1].split()[0])
    tokenizer = train_tokenizer(texts, TokenizerSettings(), most)
    assert 24 <= max(len(tokenizer.content(token_id)[0]) for token_id in range(1, most)) <= 32


def test_tokens_keep_to_the_cuts(trained):
    contents = [trained["everything"].content(token_id)[0] for token_id in range(5, 600)]
    long = [content for content in contents if len(content) > 1]
    assert len(long) == 600 - 5 - 256
    assert not any(set(content) & set(b"0123456789+-*/=()") for content in long)
    assert not any(content.strip() != content and content.strip() for content in long)
    assert not any(content != content.lower() for content in long)


def test_a_special_token_that_text_can_spell_is_refused():
    for name in ("a", "the"):
        with pytest.raises(BadInput, match=f'special token "{name}" also comes out of ordinary text'):
            train_tokenizer(["the the the"], TokenizerSettings(special_tokens=SpecialTokens(pad=name)), 260)


def test_training_loads_neither_torch_nor_transformers_nor_pydantic():
    program = (
        "import sys, smidgen.tokenization.training, smidgen.tokenization.quality\n"
        "print([name for name in ('torch', 'transformers', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_text_rules_follow_the_settings_of_the_recipe():
    wanted = {"single": TextRules(), "reversed": TextRules(reverse_digits=True)}
    for digits, rules in wanted.items():
        trained = train_tokenizer(sample_texts(20), TokenizerSettings(digits=digits), 300)
        assert trained.definition.rules == rules
    cased = train_tokenizer(sample_texts(20), TokenizerSettings(case_mapping=True), 300)
    assert cased.definition.rules == TextRules(map_case=True)


def endless_text():
    """One line in which no word comes again, as in a file of hashes."""
    draw = random.Random(5)
    return " ".join("".join(draw.choices("abcdefghijklmnop", k=10)) for _ in range(40_000))


def test_text_that_never_repeats_trains_from_a_sample_in_any_order(monkeypatch):
    monkeypatch.setattr(pre_token_counts, "Limits", lambda: Limits(held=2000, kept=5000))
    words = endless_text().split()
    shuffled = random.Random(1).sample(words, len(words))
    fingerprints = {
        train_tokenizer([" " + " ".join(order)], TokenizerSettings(), 400).fingerprint for order in (words, shuffled)
    }
    assert len(fingerprints) == 1


def test_one_long_line_trains(trained):
    line = " ".join(" ".join(sample_texts(400)).split())
    assert "\n" not in line
    assert train_tokenizer([line * 5], TokenizerSettings(), 600).vocab_size == 600


def test_one_long_line_without_blanks_trains():
    line = "".join(endless_text().split())
    assert len(line) == 400_000
    assert train_tokenizer([line], TokenizerSettings(), 1000).vocab_size == 1000


@pytest.mark.soak
@pytest.mark.parametrize("separator", [" ", ""])
def test_a_line_of_100_megabytes_trains(separator, record_property):
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(20_000)]
    line = separator.join(draw.choices(words, k=18_000_000))[:100_000_000]
    started = time.process_time()
    assert train_tokenizer([line], TokenizerSettings(), 4096).vocab_size == 4096
    record_property(
        "chaos", f"a tokenizer trained on one line of {len(line):,} bytes in {time.process_time() - started:.0f} s"
    )


@pytest.mark.soak
def test_the_largest_vocabularies_train(record_property):
    draw = random.Random(1)
    syllables = [a + b for a in "bcdfghjklmnprstvwz" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "on", "ut")]
    words = ["".join(draw.choices(syllables, k=draw.randint(2, 5))) for _ in range(200_000)]
    texts = [" ".join(draw.choices(words, k=1000)) for _ in range(2000)]
    for vocab_size in (65_535, 65_536, 65_537):
        tokenizer = train_tokenizer(texts, TokenizerSettings(), vocab_size)
        assert tokenizer.vocab_size == vocab_size
        assert all(tokenizer.decode(tokenizer.encode(text)) == text for text in texts[:20])
    record_property("chaos", f"vocabularies to {vocab_size:,} entries trained")
