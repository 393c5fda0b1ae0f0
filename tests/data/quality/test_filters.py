"""Each filter with a text that breaks it, one that just does not, and all of them in any company."""

import random

import pytest

from smidgen.data.quality.filters import REASONS, RULES, reject_reason, reject_reasons
from smidgen.recipes.quality import GOPHER, MILD, Limits

chance = random.Random(1)
# 300 words that differ, so that nothing repeats by accident.
WORDS = [
    f"{chance.choice('bdfgklm')}{chance.choice('aeiou')}{chance.choice('nrst')}{number:x}" for number in range(300)
]
PROSE = ". ".join(" ".join(WORDS[first : first + 12]) for first in range(0, 300, 12)) + "."


@pytest.mark.parametrize(
    ("limits", "text", "reason"),
    [
        ({"min_characters": 6}, "12345", "too few characters"),
        ({"min_characters": 5}, "12345", None),
        ({"max_characters": 5}, "12345", None),
        ({"max_characters": 4}, "grüße", "too many characters"),
        ({"min_words": 3}, "two words!", "too few words"),
        ({"min_words": 3}, "three words – здесь", None),
        ({"max_words": 2}, "three words, really", "too many words"),
        ({"min_mean_word_characters": 3.0}, "a b c d efg", "short words"),
        ({"max_mean_word_characters": 5.0}, "привет", "long words"),
        ({"max_mean_word_characters": 6.0}, "привет", None),
        ({"min_lettered_word_share": 0.5}, "1 2 3 a", "numbers"),
        ({"min_lettered_word_share": 0.5}, "1 2 b3 a", None),
        ({"max_symbol_share": 0.3}, "a{};b", "symbols"),
        ({"max_symbol_share": 0.3}, "ab cd ef {};", None),
        ({"max_hashes_per_word": 0.4}, "#one #two three", "symbols"),
        ({"max_ellipses_per_word": 0.4}, "one... two… three", "ellipses"),
        ({"max_bullet_line_share": 0.5}, "- one\n * two\nthree", "bullet lines"),
        ({"max_bullet_line_share": 0.7}, "- one\n • two\n\nthree", None),
        ({"max_ellipsis_line_share": 0.3}, "one...\ntwo …\nthree", "ellipses"),
        ({"max_duplicate_line_share": 0.3}, "one\ntwo\none\nthree\none", "repeated lines"),
        ({"max_duplicate_line_share": 0.4}, "one\ntwo\none\nthree\n one ", None),
        ({"max_duplicate_line_character_share": 0.4}, "a long line\nb\nc\na long line", "repeated lines"),
        ({"max_duplicate_paragraph_share": 0.4}, "one\nx\n\ntwo\n\none\nx\n\ntwo", "repeated paragraphs"),
        (
            {"max_duplicate_paragraph_character_share": 0.4},
            "a long one\n\nb\n\nc\n\na long one",
            "repeated paragraphs",
        ),
        ({"max_top_ngram_shares": (0.5, 1.0, 1.0)}, "one two one two one two three four", "repeated words"),
        ({"max_top_ngram_shares": (0.8, 1.0, 1.0)}, "one two one two one two three four", None),
        ({"max_duplicate_ngram_shares": (0.5, 1, 1, 1, 1, 1)}, "a b c d e f a b c d e", "repeated words"),
        ({"max_duplicate_ngram_shares": (1, 0.5, 1, 1, 1, 1)}, "a b c d e f a b c d e", None),
        ({"max_duplicate_ngram_shares": (1, 0.5, 1, 1, 1, 1)}, "a b c d e f g a b c d e f", "repeated words"),
    ],
)
def test_a_limit_and_its_reason(limits, text, reason):
    assert reject_reason(text, Limits(**limits)) == reason


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "",
        "Ärger in Übersee: ÉTÉ, NÃO, «À vous!», „Spaß“, l’été’ …",
        "Привет, мир! Ελληνικά, 日本語。中文",
        "naïve café\tand\r\nso on\f",
        "A\u0300 combining, an emoji \U0001f600 and a zero-width\u200djoiner",
    ],
)
def test_healthy_text_is_not_damaged(text):
    assert reject_reason(text, MILD) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("e", "\ufffd"),
        lambda text: text.replace("e", "\x00"),
        lambda text: text.replace("e", "\x07"),
        lambda text: text.replace("e", "\x9d"),
        lambda text: text.replace("e", "é").encode().decode("latin-1"),
        lambda text: text.replace("e", "é").encode().decode("cp1252"),
        lambda text: text.replace(" ", "’ ").encode().decode("cp1252"),
        lambda text: text.replace("e", "é").encode().decode("cp1252").encode().decode("cp1252", "replace"),
        lambda text: ("Привет, мир. " * 30).encode().decode("latin-1"),
        lambda text: ("Ελληνικά " * 30).encode().decode("latin-1"),
        lambda text: ("日本語。" * 30).encode().decode("latin-1"),
        lambda text: ("fun \U0001f600 " * 30).encode().decode("latin-1"),
        lambda text: text.replace("e", "é").encode("latin-1").decode("utf-8", "replace"),
    ],
)
def test_damaged_text_is_found(damage):
    assert reject_reason(damage(PROSE), MILD) == "damaged encoding"
    # One in a long text does not count.
    assert reject_reason(PROSE + "é".encode().decode("latin-1"), MILD) is None


def test_prose_passes_gopher_and_what_repeats_does_not():
    assert reject_reason(PROSE, GOPHER) is None
    assert reject_reason("short", GOPHER) == "too few words"
    assert reject_reason("\n".join(WORDS[:30] * 4), GOPHER) == "repeated lines"
    assert reject_reason(PROSE + " " + " ".join(WORDS[:60]), GOPHER) == "repeated words"
    assert reject_reason("• " + "\n• ".join(PROSE.split(". ")), GOPHER) == "bullet lines"
    assert reject_reason(" ".join(map(str, range(1000, 1300))), GOPHER) == "numbers"


def test_no_limits_reject_nothing():
    assert reject_reasons(["", "\x00", "é" * 5], Limits()) == [None, None, None]
    assert reject_reasons([], GOPHER) == []


def test_texts_do_not_influence_each_other():
    texts = [
        PROSE,
        "",
        "short",
        "\n".join(WORDS[:30] * 4),
        "e\ufffd" * 90,
        PROSE + PROSE,
        " ".join(WORDS[:70]),
        "1 2 3",
    ] * 3
    random.Random(2).shuffle(texts)
    alone = [reject_reason(text, GOPHER) for text in texts]
    assert reject_reasons(texts, GOPHER) == alone
    assert len({*alone}) >= 5


def test_every_limit_has_a_rule_and_every_rule_a_limit():
    limits = [*(rule.limit for rule in RULES), "min_characters", "max_characters"]
    assert sorted(limits) == sorted(Limits.__dataclass_fields__)
    assert all(reason == reason.strip().lower() for reason in REASONS)
