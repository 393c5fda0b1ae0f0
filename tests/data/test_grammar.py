import hashlib
import math
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from smidgen.data.document import Document
from smidgen.data.grammar import PHENOMENA, MinimalPair, grammar_documents, minimal_pairs, plot
from smidgen.data.grammar.hold_out import HoldOut
from smidgen.errors import BadInput

WORD = re.compile(r"[A-Za-z']+")
# Four standard deviations of a fair coin tossed 2,000 times are 0.045.
FAIR = 0.045
PER_PHENOMENON = 2_000
FINGERPRINT = """
from hashlib import sha256
from smidgen.data.grammar import grammar_documents, minimal_pairs
texts = [document.text for document in grammar_documents(seed=3, documents=20)]
texts += [pair.good + pair.bad for pair in minimal_pairs(seed=3, per_phenomenon=5)]
print(sha256("\\n".join(texts).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return list(grammar_documents(seed=1, documents=5_000))


@pytest.fixture(scope="module")
def pairs() -> dict[str, list[MinimalPair]]:
    found = {phenomenon: [] for phenomenon in PHENOMENA}
    for pair in minimal_pairs(seed=2, per_phenomenon=PER_PHENOMENON):
        found[pair.phenomenon].append(pair)
    return found


@pytest.fixture(scope="module")
def word_counts(documents) -> Counter[str]:
    return Counter(word for document in documents for word in WORD.findall(document.text))


@pytest.fixture(scope="module")
def shown_sentences(documents) -> set[str]:
    """Every stretch of the training text that begins at a word and ends at a stop, in lower case."""
    stretches = set()
    for document in documents:
        for sentence in re.split(r'(?<=[.?!])"?\s+', document.text):
            words = sentence.strip('"').lower().split()
            stretches.update(" ".join(words[start:]).strip('"') for start in range(len(words)))
    return stretches


def share_won(score, pairs: list[MinimalPair]) -> float:
    """How often the score prefers the good sentence; a tie is half a point."""
    points = ((score(p.good) > score(p.bad)) + (score(p.good) >= score(p.bad)) for p in pairs)
    return sum(points) / (2 * len(pairs))


def run_fingerprint(hash_seed: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", FINGERPRINT],
        env={"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


def test_processes_with_different_hash_seeds_write_the_same_text():
    assert run_fingerprint("1") == run_fingerprint("2")


def test_a_document_does_not_depend_on_how_many_are_asked_for():
    few, many = list(grammar_documents(seed=5, documents=7)), list(grammar_documents(seed=5, documents=30))
    assert few == many[:7]


def test_document_ids_name_the_seed_and_the_index():
    assert [document.id for document in grammar_documents(seed=5, documents=2)] == ["grammar-5-0", "grammar-5-1"]


def test_seeds_write_different_documents(documents):
    other = {document.text for document in grammar_documents(seed=2, documents=500)}
    assert not other & {document.text for document in documents}


def test_documents_of_one_seed_differ(documents):
    assert len({document.text for document in documents}) == len(documents)


def test_a_longer_list_of_pairs_begins_with_the_shorter_one(pairs):
    short = minimal_pairs(seed=2, per_phenomenon=3)
    assert short == [pair for phenomenon in PHENOMENA for pair in pairs[phenomenon][:3]]


def test_seeds_ask_for_different_pairs():
    one, two = minimal_pairs(seed=1, per_phenomenon=20), minimal_pairs(seed=2, per_phenomenon=20)
    assert len(set(one) & set(two)) < 10


def test_more_pairs_than_there_are_is_bad_input(monkeypatch):
    monkeypatch.setattr("smidgen.data.grammar.pair.DRAWS_IN_VAIN", 3)
    with pytest.raises(BadInput, match="ask for fewer pairs per phenomenon"):
        minimal_pairs(seed=1, per_phenomenon=1_000)


def test_phenomena_are_at_least_twelve_names_in_snake_case():
    assert len(set(PHENOMENA)) == len(PHENOMENA) >= 12
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", phenomenon) for phenomenon in PHENOMENA)


@pytest.mark.parametrize("phenomenon", PHENOMENA)
def test_a_phenomenon_has_two_thousand_different_pairs(phenomenon, pairs):
    assert len({pair.good for pair in pairs[phenomenon]}) == PER_PHENOMENON
    assert all(pair.good != pair.bad for pair in pairs[phenomenon])


@pytest.mark.parametrize("phenomenon", PHENOMENA)
def test_both_sentences_of_a_pair_have_as_many_words(phenomenon, pairs):
    assert all(len(pair.good.split()) == len(pair.bad.split()) for pair in pairs[phenomenon])


@pytest.mark.parametrize("phenomenon", PHENOMENA)
def test_counting_words_or_letters_does_not_tell_good_from_bad(phenomenon, pairs, word_counts):
    def unigram(sentence: str) -> float:
        return round(sum(math.log(word_counts[word] + 1) for word in WORD.findall(sentence)), 6)

    assert share_won(unigram, pairs[phenomenon]) == pytest.approx(0.5, abs=FAIR)
    assert share_won(len, pairs[phenomenon]) == pytest.approx(0.5, abs=FAIR)


def test_the_heuristics_of_the_balance_test_can_win():
    unfair = [MinimalPair("any", "Mia found a key.", "Mia finds a key here.")] * 10
    assert share_won(lambda sentence: -len(sentence), unfair) == 1.0


@pytest.mark.parametrize("phenomenon", ["subject_verb_agreement", "agreement_across_attractor"])
def test_bad_sentences_hold_plural_and_singular_verbs_alike(phenomenon, pairs):
    forms = [WORD.findall(pair.bad) for pair in pairs[phenomenon]]
    singular = sum(bool({"is", "was"} & set(words)) for words in forms)
    plural = sum(bool({"are", "were"} & set(words)) for words in forms)
    assert singular / (singular + plural) == pytest.approx(0.5, abs=0.06)


def test_no_sentence_of_a_pair_is_in_the_training_text(pairs, shown_sentences):
    asked = [pair for some in pairs.values() for pair in some]
    assert not [pair.good for pair in asked if pair.good.lower() in shown_sentences]
    assert not [pair.bad for pair in asked if pair.bad.lower() in shown_sentences]


def test_without_the_split_the_training_text_would_show_test_sentences(monkeypatch):
    """Proves that the test above can fail."""
    monkeypatch.setattr(HoldOut, "holds", lambda self, sentence: True)
    anything = minimal_pairs(seed=2, per_phenomenon=PER_PHENOMENON)
    monkeypatch.setattr(HoldOut, "holds", lambda self, sentence: False)
    monkeypatch.setattr(HoldOut, "is_shown_by", lambda self, text: False)
    text = " ".join(document.text for document in grammar_documents(seed=1, documents=2_000))
    sentences = set(re.split(r'(?<=[.?!])"?\s+"?', text))
    assert any(pair.good in sentences for pair in anything)


def test_every_word_of_the_pairs_is_in_the_training_text(pairs, word_counts):
    asked = {word for some in pairs.values() for p in some for word in WORD.findall(f"{p.good} {p.bad}")}
    assert asked - set(word_counts) == set()


def test_every_way_to_tell_a_plot_is_told(documents):
    """A sentence without names is on one side of the split for ever; if it is held out, reword it."""
    text = "\n".join(document.text for document in documents)
    beats = (plot.OPENINGS, plot.ENDINGS, *plot.DESCRIPTION, *plot.CONVERSATION)
    ways = [way for beat in (*beats, *(beat for each in plot.PLOTS for beat in each)) for way in beat]
    assert [way for way in ways if not re.search(as_pattern(way), text)] == []


def as_pattern(way: str) -> str:
    return re.sub(r"\\\{\w+\\\}", r"[^.?!]{1,40}?", re.escape(way))


def test_a_number_or_a_tense_does_not_change_the_side_of_a_sentence():
    hold_out = HoldOut()
    sentences = ["The dog near the {} sleeps.", "Did the dogs sleep near the {}?", "These dogs slept near a {}."]
    sides = [tuple(hold_out.holds(s.format(place)) for s in sentences) for place in ("barn", "lake", "mill", "inn")]
    assert all(len(set(side)) == 1 for side in sides)
    assert len(set(sides)) == 2


def test_a_held_out_sentence_is_noticed_inside_other_text():
    hold_out = HoldOut()
    pair = minimal_pairs(seed=4, per_phenomenon=1)[0]
    quote = pair.good.rstrip(".")
    for text in (f"It was late. {pair.good} So be it.", f'Tom said, "{pair.good}"', f'"{quote}," said Tom.'):
        assert hold_out.is_shown_by(text)


def test_documents_are_short_paragraphs_in_plain_english(documents):
    for document in documents:
        stops = len(re.findall(r"[.?!]", document.text))
        assert 5 <= stops <= 20
        assert "\n" not in document.text
        assert re.fullmatch(r"[A-Za-z ,.?!\"'-]+", document.text)
        assert document.text.count('"') % 2 == 0
        assert not re.search(r"  | [,.?!]|[{}_]|[,.?!]{2}", document.text)


def test_sentences_begin_with_a_capital_and_end_with_a_stop(documents, pairs):
    for document in documents:
        for sentence in re.split(r'(?<=[.?!])"? (?="?[A-Z])', document.text):
            assert re.match(r'"?[A-Z]', sentence)
        assert re.search(r'[.?!]"?$', document.text)
        assert not re.search(r"[.!] [a-z]", document.text)
    assert all(re.fullmatch(r"[A-Z][^.?!]*[.?]", p.good) for some in pairs.values() for p in some)


def test_articles_fit_the_next_word_in_training_text_and_good_sentences(documents, pairs):
    goods = [p.good for some in pairs.values() for p in some]
    for text in [*goods, *(document.text for document in documents)]:
        for article, following in pairwise(WORD.findall(text)):
            if article.lower() in ("a", "an"):
                vowel = following[0] in "aeiou" or following == "hour"
                assert (article.lower() == "an") == vowel, f"{article} {following}"


def test_nobody_speaks_twice_of_himself_by_name(documents):
    """A quoted aside is spoken by somebody whom it does not name."""
    text = " ".join(document.text for document in documents)
    quotes = re.findall(r'"([^"]+)," (?:answered|whispered|called) (\w+)\.', text)
    assert len(quotes) > 100
    assert not [quote for quote, speaker in quotes if speaker in WORD.findall(quote)]


def test_the_training_text_shows_every_phenomenon(documents):
    """One construction of each family, as a reader would look for it."""
    text = " ".join(document.text for document in documents)
    shows = {
        "agreement": r"The \w+ (?:near|behind|beside) the \w+s (?:is|was) ",
        "demonstrative": r"[Tt]hose \w+s followed",
        "quantifier": r"every \w+ (?:in|at|on|by|near) ",
        "reflexive": r"\w+'s (?:mother|aunt|sister) \w+ herself",
        "participle": r"(?:has|had) (?:written|eaten|drawn|taken) ",
        "future": r"will \w+ .{5,40} next (?:week|year)",
        "passive": r"was hidden by",
        "gap": r"(?:knew|heard|noticed) what \w+ \w+ (?:in|at|on|by|near) ",
        "island": r"Who did \w+ \w+ (?:after|before) \w+ing",
        "inversion": r"Is the \w+ (?:who|that) is \w+ing \w+\?",
        "polarity": r"that no \w+ who \w+ .{5,40} has ever",
        "neither": r"and neither (?:can|will|could|must|should)",
        "comparison": r"was as \w+ as ",
    }
    assert [name for name, pattern in shows.items() if len(re.findall(pattern, text)) < 5] == []


def test_the_text_of_a_seed_stays_what_it_was():
    """A golden value: recipes name their scores for this very text.

    If it fails because the grammar was improved on purpose, paste the new value and say so in CHANGELOG.md.
    """
    texts = [document.text for document in grammar_documents(seed=0, documents=50)]
    texts += [f"{pair.good}\n{pair.bad}" for pair in minimal_pairs(seed=0, per_phenomenon=10)]
    assert (
        hashlib.sha256("\n".join(texts).encode()).hexdigest()
        == "dec5fb3c3887c71391624d5dc38c46293b53f919afc7a0866eb930c86463cd17"
    )
