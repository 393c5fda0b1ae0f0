"""Our C++ encoder gives what the `tokenizers` library gives: for every definition, every text, every processor."""

import itertools
import pickle
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smidgen.errors import BadInput
from smidgen.native.library import Unavailable
from smidgen.native.location import default_cache
from smidgen.recipes.tokenizer import SpecialTokens
from smidgen.tokenization import text_encoder
from smidgen.tokenization.byte_symbols import byte_symbols
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.native import characters
from smidgen.tokenization.native.encoder import LARGEST_VOCAB_SIZE, NativeEncoder
from smidgen.tokenization.native.self_check import CHECKED_TEXTS
from smidgen.tokenization.splits import Splits
from smidgen.tokenization.text_encoder import TextEncoder
from smidgen.tokenization.text_rules import TextRules
from smidgen.tokenization.tokenizer import Tokenizer

from .sample_text import sample_texts

BOTH = (False, True)
SPLITS = [
    Splits(digits=digits, operators=operators, whitespace=whitespace, closing=closing)
    for digits, operators, whitespace, closing in itertools.product(BOTH, repeat=4)
    if digits or not closing
]
RULES = [
    TextRules(reverse_digits=reverse, map_case=case, close_numbers=close)
    for reverse, case, close in itertools.product(BOTH, repeat=3)
]
COMPOSITIONS = [(splits, rules) for splits in SPLITS for rules in RULES if rules.close_numbers <= splits.closing]
PIECES = (
    *("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'", "''", "'S", "'r", "'l", "'v", "s", "e"),
    *(" ", "  ", "\n", "\r\n", "\r", "\t", "\x0b", "\x0c", "\x1c", "\x85", "\u00a0", "\u3000", "\u2028", "\u200b"),
    *(
        "\u0301",
        "é",
        "👩‍👩‍👧",
        "😀",
        "日本語",
        "İ",
        "ß",
        "ſ",
        "\u212a",
        "ǅ",
        "\ufeff",
        "\U0010ffff",
        "\ue000",
        "\x00",
    ),
    *("1", "12", "½", "²", "٣", "Ⅷ", "一", "𝟘", "0" * 63, "0" * 64, "0" * 65, "+", "-", "*", "/", "=", "(", ")", "!"),
    *("A", "AB", "Ab", "ABc", "A" * 31, "A" * 32, "A" * 33, "A" * 65, "x", "the", " the", " The", "iPhone"),
    *("\x0e", "\x0f", "\x10", "\x11", "<|endoftext|>", "word" * 8, " " * 70, "=" * 40),
    *("\x12", "\x1b", "\x1312", "7\x14", " \x15", "\x10\x16#"),
)
TEXTS = st.one_of(
    st.text(max_size=90),
    st.text(alphabet="abAB 019+=\n'\x0e\x10\x12\x1bé😀\u3000", max_size=90),
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
)
SCALARS = [chr(scalar) for scalar in range(0x110000) if not 0xD800 <= scalar < 0xE000]
# AVX2, and neither that nor AVX-512: what other processors run.
OTHER_PROCESSORS = (("-mno-avx512f",), ("-mno-avx512f", "-mno-avx2", "-mno-avx"))


def native(definition, **options):
    return NativeEncoder(definition, cache=default_cache(), **options)


def by_library(definition, texts):
    return Tokenizer(definition, native=False).encode_batch(texts)


def by_native(encoder, texts):
    ids, counts = encoder.encode([text.encode() for text in texts])
    assert counts.sum() == len(ids)
    return [part.tolist() for part in np.split(ids, np.cumsum(counts)[:-1])] if texts else []


def assert_same(definition, texts, encoder=None):
    ours, theirs = by_native(encoder or native(definition), texts), by_library(definition, texts)
    assert [text for text, a, b in zip(texts, ours, theirs, strict=True) if a != b] == []


def random_texts(seed, count):
    draw = random.Random(seed)
    return ["".join(draw.choices(PIECES, k=draw.choice((1, 5, 60)))) for _ in range(count)]


@pytest.fixture(scope="module")
def composed(trained):
    """The library and our encoder for every composition of splits and rules."""
    definition = trained["everything closing"].definition
    definitions = [replace(definition, splits=splits, rules=rules) for splits, rules in COMPOSITIONS]
    return [(Tokenizer(each, native=False), native(each, threads=1)) for each in definitions]


@given(text=TEXTS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gets_the_ids_of_the_library_under_every_composition(composed, text):
    for tokenizer, encoder in composed:
        assert by_native(encoder, [text]) == [tokenizer.encode(text)], tokenizer.definition.splits


@given(text=TEXTS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_cut_where_the_library_cuts(composed, text):
    for tokenizer, encoder in {
        tokenizer.definition.splits: (tokenizer, encoder) for tokenizer, encoder in composed
    }.values():
        split = tokenizer.definition.splits.pre_tokenizer()
        assert encoder.words(text.encode()).tolist() == words_by_library(split, text), tokenizer.definition.splits


@pytest.mark.parametrize(("splits", "rules"), COMPOSITIONS)
def test_awkward_texts_get_the_ids_of_the_library(trained, splits, rules):
    definition = replace(trained["plain"].definition, splits=splits, rules=rules)
    assert_same(definition, [*CHECKED_TEXTS, *PIECES, *random_texts(1, 300)])


def test_every_kind_gets_the_ids_of_the_library(tokenizer):
    texts = ["", *sample_texts(60, seed=3), "", *random_texts(2, 500), ""]
    assert_same(tokenizer.definition, texts)


@pytest.mark.parametrize("splits", SPLITS)
def test_every_scalar_is_cut_where_the_library_cuts(trained, splits):
    encoder = native(replace(trained["plain"].definition, splits=splits))
    split = splits.pre_tokenizer()
    # In a row, which shows all classes but those of neighbours that swapped, and each among others in ASCII and where
    # classes change.
    texts = ["".join(SCALARS[start : start + 4096]) for start in range(0, len(SCALARS), 4096)]
    classes = characters.character_classes(default_cache())
    edges = [c for c in SCALARS[1:] if ord(c) < 128 or classes[ord(c)] != classes[ord(c) - 1]]
    assert len(edges) > 1500
    texts += [
        "".join(f"a{c}1{c}!{c} {c}\n{c}{c}" for c in edges[start : start + 64]) for start in range(0, len(edges), 64)
    ]
    for text in texts:
        assert encoder.words(text.encode()).tolist() == words_by_library(split, text)


def words_by_library(split, text):
    return [len(symbols) for symbols, _ in split.pre_tokenize_str(text)]


def test_every_scalar_gets_the_ids_of_the_library(trained):
    texts = ["".join(SCALARS[start : start + 4096]) for start in range(0, len(SCALARS), 4096)]
    for kind in ("everything", "everything closing"):
        assert_same(trained[kind].definition, texts)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_scalar_gets_the_ids_of_the_library_among_others(tokenizer):
    texts = [
        "".join(f"a{c}1{c}!{c} {c}" for c in SCALARS[start : start + 512]) for start in range(0, len(SCALARS), 512)
    ]
    assert_same(tokenizer.definition, texts)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_random_texts_get_the_ids_of_the_library(tokenizer):
    assert_same(tokenizer.definition, random_texts(4, 100_000))


@pytest.mark.parametrize("options", OTHER_PROCESSORS)
@pytest.mark.parametrize("kind", ["plain", "everything", "everything closing"])
def test_other_processors_give_the_same_ids(trained, kind, options):
    definition = trained[kind].definition
    assert_same(definition, [*sample_texts(20, seed=3), *random_texts(3, 1000)], native(definition, options=options))


@pytest.mark.parametrize("splits", SPLITS)
def test_contractions_at_every_place_of_a_block_are_cut_where_the_library_cuts(trained, splits):
    encoder, split = native(replace(trained["plain"].definition, splits=splits)), splits.pre_tokenizer()
    for before in range(140):
        for contraction in ("'s", "'ll"):
            for end in ("", "x", " x", "é", "!"):
                text = "=" * before + contraction + end
                assert encoder.words(text.encode()).tolist() == words_by_library(split, text), text


def test_digits_at_every_place_of_a_block_are_closed_where_their_run_ends(trained):
    texts = [
        "x" * before + ("1234567890" * 20)[:digits] + end
        for before in range(70)
        for digits in (1, 2, 62, 63, 64, 65, 66, 130)
        for end in ("", "x", " 7")
    ]
    assert_same(trained["everything closing"].definition, texts)


@pytest.mark.parametrize("seed", range(6))
def test_words_of_every_length_are_merged_in_the_order_of_the_library(seed):
    definition = random_merges(seed)
    draw = random.Random(seed)
    lengths = [*range(1, 140), 500, 3000]
    assert_same(definition, ["".join(draw.choices("abc", (5, 2, 1), k=length)) for length in lengths * 3])


def random_merges(seed):
    """Merges of letters that overlap in every way, some of two into the same token."""
    draw = random.Random(seed)
    made, merges = [*"abc"], []
    while len(merges) < 60:
        pair = draw.choice(made), draw.choice(made)
        if pair not in merges and len("".join(pair)) < 12:
            merges.append(pair)
            made.append("".join(pair))
    # Of a pair that stands twice the library takes the last.
    return defined_by([*merges, merges[draw.randrange(40)]])


def defined_by(merges):
    tokens = ["<|endoftext|>", *byte_symbols(), *dict.fromkeys(left + right for left, right in merges)]
    return Definition(
        special_tokens=SpecialTokens(),
        splits=Splits(),
        rules=TextRules(),
        tokens=tuple(dict.fromkeys(tokens)),
        merges=tuple(merges),
    )


def test_the_largest_vocabulary_fits():
    pairs = list(itertools.product(byte_symbols(), repeat=2))
    definition = defined_by(pairs[: LARGEST_VOCAB_SIZE - 257])
    assert len(definition.tokens) == LARGEST_VOCAB_SIZE
    texts = ["~þ" + "".join(random.Random(seed).choices(SCALARS[:0x800], k=50)) for seed in range(100)]
    assert_same(definition, texts)
    with pytest.raises(Unavailable, match="a vocabulary of 65,537 is too large"):
        native(defined_by(pairs[: LARGEST_VOCAB_SIZE - 256]))


@pytest.mark.parametrize("unit", ["! The ", "A b\n", "é ", "1 2 a", ") (", "\nA"])
def test_long_texts_are_cut_for_threads_where_nothing_joins(tokenizer, unit):
    texts = [unit * (150_000 // len(unit)), "", unit * (70_000 // len(unit))]
    assert_same(tokenizer.definition, texts, native(tokenizer.definition, threads=3))


def test_any_number_of_threads_gives_the_same_ids(tokenizer):
    texts = [*sample_texts(100, seed=5), "", "word " * 60_000, *["12 + 3\n", ""] * 3000, "é" * 90_000]
    expected = by_native(native(tokenizer.definition, threads=1), texts)
    for threads in (2, 5):
        assert by_native(native(tokenizer.definition, threads=threads), texts) == expected


def test_an_encoder_may_be_used_by_several_threads_at_once(tokenizer):
    encoder = native(tokenizer.definition, threads=2)
    texts = sample_texts(200, seed=6)
    expected = by_native(encoder, texts)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: by_native(encoder, texts), range(20))) == [expected] * 20


@pytest.mark.parametrize("unit", ["a", "A", "aA", "1", " ", "\n ", "-a", "é", "😀", "\x0e", "Aa ", "'s"])
def test_a_megabyte_of_repetition_takes_linear_time(trained, unit):
    encoder = native(trained["everything"].definition, threads=1)
    text = unit.encode() * (1_000_000 // len(unit.encode()))
    before = time.process_time()
    encoder.encode([text])
    assert time.process_time() - before < 1


# Behind the tokenizer


@pytest.fixture
def much_text():
    return [*sample_texts(400, seed=8), "", "İ" * 3000]


def test_much_text_is_encoded_by_the_compiled_encoder(tokenizer, much_text, monkeypatch):
    ours = Tokenizer(tokenizer.definition)
    monkeypatch.setattr(TextEncoder, "_library_lists", lambda *_: pytest.fail("the library was used"))
    ours._encoder._native = native(tokenizer.definition)
    assert len(ours.encode_batch(much_text)) == len(much_text)
    assert ours.notice == ""


def test_lists_and_arrays_are_the_same_by_either_way(tokenizer, much_text):
    expected = Tokenizer(tokenizer.definition, native=False).encode_batch(much_text)
    for is_native in BOTH:
        encoder = Tokenizer(tokenizer.definition, native=is_native)
        assert encoder.encode_batch(much_text) == expected
        assert list(encoder.encode_stream(iter(much_text))) == expected
        encoded = encoder.encode_arrays(much_text)
        assert encoded.ids.dtype == np.uint16
        assert encoded.ids.tolist() == list(itertools.chain.from_iterable(expected))
        assert encoded.counts.tolist() == list(map(len, expected))
        assert encoded.text_bytes.tolist() == [len(text.encode()) for text in much_text]
        assert [len(part) for part in encoder.encode_arrays([])] == [0, 0, 0]
        assert [part.tolist() for part in encoder.encode_arrays([""])] == [[], [0], [0]]
    assert encoder._encoder._native is not None


def test_a_lone_surrogate_is_refused_in_much_text(trained, much_text):
    tokenizer = Tokenizer(trained["plain"].definition)
    for use in (tokenizer.encode_batch, tokenizer.encode_arrays):
        with pytest.raises(BadInput, match=r"lone surrogate \(U\+D800\) at character 3"):
            use([*much_text, "abc\ud800"])


def test_without_a_compiler_the_library_encodes_and_one_sentence_says_so(trained, much_text, monkeypatch):
    def refuse(*_, **__):
        raise Unavailable("no C++ compiler was found (g++)")

    monkeypatch.setattr(text_encoder, "NativeEncoder", refuse)
    tokenizer = Tokenizer(trained["plain"].definition)
    tokenizer.encode("little text")
    assert tokenizer.notice == ""
    assert tokenizer.encode_batch(much_text) == by_library(tokenizer.definition, much_text)
    assert tokenizer.notice.startswith("texts are encoded by the tokenizers library alone")
    assert tokenizer.notice.endswith("no C++ compiler was found (g++)")


@pytest.mark.parametrize("scalar", ["é", "一", "½", "٣", "\u00a0", "\u0301", "😀"])
def test_an_encoder_that_takes_a_character_for_another_is_found_out(trained, much_text, monkeypatch, scalar):
    classes = bytearray(characters.character_classes(default_cache()))
    is_letter = classes[ord(scalar)] == characters.LETTER
    classes[ord(scalar)] = characters.OTHER if is_letter else characters.LETTER
    monkeypatch.setattr("smidgen.tokenization.native.encoder.character_classes", lambda _: bytes(classes))
    tokenizer = Tokenizer(trained["plain"].definition)
    assert tokenizer.encode_batch(much_text) == by_library(tokenizer.definition, much_text)
    assert "our own encoder gives other ids here" in tokenizer.notice


def test_an_encoder_of_another_order_of_merges_is_found_out(trained, much_text, monkeypatch):
    definition = trained["plain"].definition
    other = replace(definition, merges=definition.merges[::-1])
    monkeypatch.setattr(text_encoder, "NativeEncoder", lambda _, cache, threads: native(other))
    tokenizer = Tokenizer(definition)
    assert tokenizer.encode_batch(much_text) == by_library(definition, much_text)
    assert "our own encoder gives other ids here" in tokenizer.notice


def test_the_library_alone_can_be_asked_for_and_survives_pickling(trained, much_text, monkeypatch):
    monkeypatch.setattr(text_encoder, "NativeEncoder", lambda *_, **__: pytest.fail("it was switched off"))
    tokenizer = pickle.loads(pickle.dumps(Tokenizer(trained["plain"].definition, native=False)))
    assert len(tokenizer.encode_batch(much_text)) == len(much_text)
    assert tokenizer.notice == ""


# What characters are


def test_classes_are_kept_and_asked_again_when_damaged(tmp_path, monkeypatch):
    classes = characters.character_classes(default_cache())
    asked = []
    monkeypatch.setattr(characters, "ask", lambda: asked.append(1) or classes)
    assert characters.character_classes(tmp_path) == classes
    assert characters.character_classes(tmp_path) == classes
    assert len(asked) == 1
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-1] + b"\x07")
    assert characters.character_classes(tmp_path) == classes
    assert len(asked) == 2


def test_classes_are_those_of_the_library():
    classes = characters.ask()
    assert characters.character_classes(default_cache()) == classes
    expected = (
        *(("aé一ǅ", characters.LETTER), ("+\u0301😀\x00", characters.OTHER), (" \u3000\x85", characters.WHITE)),
        ("7²Ⅷ٣", characters.NUMBER | characters.NUMERIC),
    )
    for shown, kind in expected:
        assert {classes[ord(character)] for character in shown} == {kind}
