import itertools
import time

import pytest

from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization import proof_texts
from smidgen.tokenization.proof import Check, built_in_checks, outcomes, streaming_failures
from smidgen.tokenization.quality import roundtrip_failures
from smidgen.tokenization.tokenizer import StreamingDecoder, Tokenizer
from smidgen.tokenization.training import train_tokenizer

from .kinds import FIVE, KINDS
from .sample_text import sample_texts

COMPOSITIONS = [
    TokenizerSettings(
        digits=digits,
        isolate_operators=operators,
        isolate_whitespace=whitespace,
        case_mapping=case_mapping,
        close_numbers=close_numbers,
        special_tokens=FIVE,
    )
    for digits, operators, whitespace, case_mapping, close_numbers in itertools.product(
        ("merged", "single", "reversed"), *[(False, True)] * 4
    )
    if digits != "merged" or not close_numbers
]


def name_of(settings):
    on = [
        name
        for name in ("isolate_operators", "isolate_whitespace", "case_mapping", "close_numbers")
        if getattr(settings, name)
    ]
    return " ".join([settings.digits, *on])


@pytest.fixture(scope="module", params=COMPOSITIONS, ids=name_of)
def composed(request):
    return train_tokenizer(sample_texts(60), request.param, 400)


@pytest.fixture
def no_failures(record_property):
    """Have the summary say what was tried without a failure, and what that proves."""

    def call(what, trials):
        bound = 1 - 0.05 ** (1 / trials)
        record_property("chaos", f"{what}: 0 failures in {trials:,} (at most {bound:.4%} with 95% confidence)")

    return call


def assert_nothing_is_lost(tokenizer, checks):
    found = list(outcomes(tokenizer, checks))
    assert [outcome for outcome in found if outcome.failures] == []
    return sum(outcome.texts for outcome in found)


# What the texts are


def test_every_character_is_there_once():
    characters = "".join(proof_texts.every_character())
    assert len(characters) == len(set(characters)) == 1_112_064


def test_all_digit_strings_up_to_five_long_are_there_and_longer_ones():
    strings = list(proof_texts.digit_strings(500))
    assert len(strings) == 111_110 + 500
    assert (
        len({string for string in strings if len(string) <= 5 and string.isascii() and string.isdigit()}) == 111_110
    )
    assert max(map(len, strings)) > 190


def test_every_pattern_of_capitals_up_to_eight_letters_is_there():
    patterns = {tuple(map(str.isupper, text)) for text in proof_texts.capitals() if text.isascii() and text.isalpha()}
    assert patterns >= set(
        itertools.chain.from_iterable(itertools.product((False, True), repeat=n) for n in range(1, 9))
    )


def test_every_short_text_of_marker_characters_is_there():
    assert {"".join(text) for text in itertools.product("\x0e\x0f\x10aB", repeat=3)} <= set(proof_texts.capitals())


def test_random_texts_hold_what_is_hard_and_anything_else():
    texts = list(proof_texts.random_texts(5_000))
    assert len(set(texts)) > 4_500
    everything = "".join(texts)
    assert all(piece in everything for piece in (*proof_texts.HARD, *proof_texts.CAPITALS))
    assert len(set(everything)) > 3_000
    assert texts[:9] == list(proof_texts.random_texts(9))
    assert texts[:9] != list(proof_texts.random_texts(9, seed=1))


def test_every_document_names_a_control_token():
    documents = list(proof_texts.documents_with_control_names(500, ("<pad>", "<end>")))
    assert len(documents) == 500
    assert all("<pad>" in document or "<end>" in document for document in documents)


# That every family keeps them


def test_nothing_is_lost(tokenizer):
    tried = assert_nothing_is_lost(tokenizer, built_in_checks(tokenizer))
    assert tried > 140_000


def test_no_composition_of_settings_loses_anything(composed):
    names = composed.definition.special_tokens.present
    checks = [
        Check(name="random", texts=proof_texts.random_texts(1_000, seed=2)),
        Check(name="capitals", texts=proof_texts.capitals()),
        Check(name="names", texts=proof_texts.documents_with_control_names(500, names)),
        Check(name="streams", texts=proof_texts.random_texts(20, seed=3), failures=streaming_failures),
    ]
    assert assert_nothing_is_lost(composed, checks) > 7_500


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_million_random_texts_come_back(tokenizer, no_failures):
    texts = proof_texts.random_texts(1_000_000, seed=4)
    no_failures("round trips of random texts", assert_nothing_is_lost(tokenizer, [Check(name="random", texts=texts)]))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_long_digit_strings_come_back(tokenizer, no_failures):
    checks = [Check(name="digits", texts=proof_texts.digit_strings(100_000))]
    no_failures("round trips of digit strings", assert_nothing_is_lost(tokenizer, checks))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_control_token_comes_out_of_many_documents(tokenizer, no_failures):
    names = tokenizer.definition.special_tokens.present
    checks = [Check(name="names", texts=proof_texts.documents_with_control_names(50_000, names))]
    no_failures("documents with names of control tokens", assert_nothing_is_lost(tokenizer, checks))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_streams_may_be_cut_anywhere(tokenizer, no_failures):
    texts = proof_texts.random_texts(10_000, seed=5)
    checks = [Check(name="streams", texts=texts, failures=streaming_failures)]
    no_failures("streams cut at every token", assert_nothing_is_lost(tokenizer, checks))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_character_comes_back_in_every_composition(composed, no_failures):
    checks = [Check(name="characters", texts=proof_texts.every_character())]
    assert assert_nothing_is_lost(composed, checks) == 1_086
    no_failures("round trips of characters", 1_112_064)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_character_comes_back_on_its_own_and_among_others(tokenizer, no_failures):
    checks = [
        Check(name="alone", texts=itertools.chain.from_iterable(proof_texts.every_character())),
        Check(
            name="among others",
            texts=(
                f"A{character}b 1{character}2 {character}"
                for character in itertools.chain.from_iterable(proof_texts.every_character())
            ),
        ),
    ]
    assert assert_nothing_is_lost(tokenizer, checks) == 2 * 1_112_064
    no_failures("round trips of characters alone and among others", 2 * 1_112_064)


def seconds(tokenizer, text):
    """Processor time of the faster of two round trips."""
    times = []
    for _ in range(2):
        before = time.process_time()
        assert tokenizer.decode(tokenizer.encode(text)) == text
        times.append(time.process_time() - before)
    return min(times)


@pytest.mark.parametrize("unit", proof_texts.RUNS)
def test_twice_as_much_of_the_same_takes_about_twice_as_long(trained, unit):
    tokenizer = trained["everything"]
    shorter, longer = (seconds(tokenizer, unit * (size // len(unit.encode()))) for size in (40_000, 80_000))
    # Quadratic time would be 4, and 16 for twice as much again.
    if longer / shorter > 3:
        assert seconds(tokenizer, unit * (320_000 // len(unit.encode()))) / longer < 9


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("unit", proof_texts.RUNS)
def test_up_to_a_megabyte_of_the_same_takes_linear_time(tokenizer, unit):
    times = {
        size: seconds(tokenizer, unit * (size // len(unit.encode()))) for size in (1_000, 10_000, 100_000, 10**6)
    }
    assert times[10**6] < 25 * times[100_000]
    assert times[10**6] < 4, "seconds of encoding and decoding a megabyte"


# That a failure would be found


class Broken(Tokenizer):
    """Takes the Kelvin sign for a K."""

    def decode(self, token_ids, *, skip_special=True):
        return super().decode(token_ids, skip_special=skip_special).replace("\u212a", "K")


def test_what_is_lost_is_found_counted_and_shown(trained):
    broken = Broken(trained["plain"].definition)
    texts = ["fine", "300 \u212a", "K", "\u212a" * 200] + ["x"] * 600
    heard = []
    [fine, lost] = outcomes(
        broken,
        [Check(name="fine", texts=["a"]), Check(name="lost", texts=iter(texts))],
        lambda name, tried: heard.append((name, tried)),
    )
    assert fine.to_json() == {"name": "fine", "texts": 1, "failures": 0}
    assert lost.to_json() == {"name": "lost", "texts": 604, "failures": 2, "first_failure": "300 \u212a"}
    assert heard == [("fine", 0), ("lost", 0), ("lost", 500)]


def test_the_built_in_checks_find_what_happens_to_one_character(trained):
    wanted = {"every Unicode character", "capitals and markers", "random text"}
    checks = [check for check in built_in_checks(trained["plain"]) if check.name in wanted]
    assert len(checks) == 3
    assert all(outcome.failures for outcome in outcomes(Broken(trained["plain"].definition), checks))


def test_a_control_token_out_of_text_is_found(trained):
    class Careless(Tokenizer):
        def encode_stream(self, texts):
            for text in texts:
                before, name, after = text.partition("<|endoftext|>")
                ids = [*super().encode_stream([before, after])]
                yield [*ids[0], *[0] * bool(name), *ids[1]]

    tokenizer = Careless(trained["plain"].definition)
    documents = proof_texts.documents_with_control_names(200, ("<|endoftext|>",))
    assert len(roundtrip_failures(tokenizer, documents)) == 200


@pytest.mark.parametrize("method", ["push", "flush"])
def test_a_stream_that_says_something_else_is_found(trained, method, monkeypatch):
    tokenizer = trained["everything"]
    assert streaming_failures(tokenizer, ["The 12 €", "x"]) == []
    real = getattr(StreamingDecoder, method)
    monkeypatch.setattr(StreamingDecoder, method, lambda self, *args: real(self, *args).replace("2", ""))
    assert streaming_failures(tokenizer, ["x", "12 2"]) == ["12 2"]


def test_a_stream_that_takes_back_what_it_showed_is_found(trained, monkeypatch):
    """As decoders do that show a character before all its bytes are there."""
    tokenizer = trained["plain"]
    monkeypatch.setattr(StreamingDecoder, "push", lambda self, token_id: tokenizer.decode([token_id]))
    monkeypatch.setattr(StreamingDecoder, "flush", lambda self: "")
    assert streaming_failures(tokenizer, ["abc", "€"]) == ["€"]


def test_every_kind_is_proven():
    assert set(KINDS) >= {"plain", "arithmetic", "cased", "everything"}
    assert len(COMPOSITIONS) == 40
