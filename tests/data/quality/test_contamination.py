"""Evaluation items in documents: the index against sets of words, planted items, and clean text."""

import random
import re

import numpy as np
import pytest

from smidgen.data.quality.contamination import ContaminationIndex, Coverage, EvaluationText
from smidgen.data.quality.contamination_report import ContaminationReport, records_of
from smidgen.errors import BadInput

VOCABULARY = [
    f"{first}{middle}{last}" for first in "bdfgklmnprst" for middle in "aeiou" for last in ("n", "r", "st", "d")
]


def sentence(chance, words):
    return " ".join(chance.choices(VOCABULARY, k=words))


def noisy(chance, text):
    """The same words in other clothes."""
    return "".join(
        f"{chance.choice([' ', '  ', ', ', chr(10), ' – '])}{chance.choice([word, word.upper(), word.title()])}"
        for word in text.split()
    )


def shared_runs(document, text, size):
    runs = []
    for each in (document, text):
        words = re.findall("[a-z0-9]+", each.lower())
        runs.append({tuple(words[i : i + size]) for i in range(len(words) - size + 1)})
    return len(runs[0] & runs[1])


def test_500_planted_items_in_50_000_documents_are_found_and_nothing_else_is():
    chance = random.Random(7)
    lengths = [8, 9, 12, 13, 14, 20, 40, 120]
    items = {f"{number}": sentence(chance, lengths[number % len(lengths)]) for number in range(500)}
    index = ContaminationIndex.of(EvaluationText("quiz", item, text) for item, text in items.items())
    assert index.coverage == {"quiz": Coverage(items=500, testable=500)}
    documents = [sentence(chance, chance.randrange(5, 60)) for _ in range(50_000)]
    assert not any(index.hits(documents))

    places = dict(zip(chance.sample(range(50_000), 500), items, strict=True))
    for place, item in places.items():
        documents[place] += noisy(chance, items[item]) + " " + sentence(chance, 9)
    found = index.hits(documents)
    assert [place for place, hits in enumerate(found) if hits] == sorted(places)
    assert all([*found[place]["quiz"]] == [item] for place, item in places.items())


def test_counts_are_those_of_sets_of_words():
    chance = random.Random(3)
    texts = [sentence(chance, words) for words in (13, 14, 30, 60, 12, 8, 7)]
    index = ContaminationIndex.of(EvaluationText("t", f"i{number}", text) for number, text in enumerate(texts))
    assert index.coverage["t"] == Coverage(items=7, testable=6)
    for _ in range(60):
        first, second = chance.choice(texts).split(), chance.choice(texts).split()
        document = " ".join([*first[chance.randrange(5) :], "between", *second, *first[: chance.randrange(20)]])
        expected = {}
        for number, text in enumerate(texts):
            count = shared_runs(document, text, 13 if len(text.split()) >= 13 else 8)
            if count:
                expected[f"i{number}"] = count
        assert index.hits([document]) == [{"t": expected} if expected else {}]


def test_several_texts_of_an_item_and_one_text_of_several_items():
    passage, question = "the passage " * 2 + " ".join(VOCABULARY[:20]), " ".join(VOCABULARY[30:39])
    index = ContaminationIndex.of(
        [
            EvaluationText("a", "1", passage),
            EvaluationText("a", "1", question),
            EvaluationText("b", "x", passage),
            EvaluationText("b", "y", "too short"),
        ]
    )
    assert index.coverage == {"a": Coverage(1, 1), "b": Coverage(2, 1)}
    assert index.hits([question, passage, ""]) == [{"a": {"1": 2}}, {"a": {"1": 12}, "b": {"x": 12}}, {}]


def test_the_form_of_a_question_says_nothing():
    form = "which of the following is an example of"
    index = ContaminationIndex.of(
        EvaluationText("t", f"{n}", f"{form} {word}") for n, word in enumerate(VOCABULARY[:3])
    )
    assert index.hits(["Which of the following is an example of something else?"]) == [{}]
    assert index.hits([f"{form} {VOCABULARY[1]}"]) == [{"t": {"1": 1}}]


def test_arithmetic_is_compared_by_its_expression():
    index = ContaminationIndex.of(
        [EvaluationText("sums", "0", "59 + 45 = 104"), EvaluationText("sums", "1", "(52 / 13) + (68 + 23) =")]
    )
    assert index.coverage == {"sums": Coverage(2, 2)}
    documents = [
        "59+45=104",
        "45 + 59 = 104",
        "1 + 59 + 45 = 105",
        "so (52/13) + (68+23) = 95\n59 + 45 =",
        "59 + 45 apples",
    ]
    assert index.hits(documents) == [{"sums": {"0": 1}}, {}, {}, {"sums": {"0": 1, "1": 1}}, {}]


def test_without_short_ones_only_13_words_count():
    text = " ".join(VOCABULARY[:12])
    index = ContaminationIndex.of([EvaluationText("t", "0", text)], sizes=(13,))
    assert index.coverage == {"t": Coverage(1, 0)}
    assert index.hits([text]) == [{}]


def test_an_empty_index_finds_nothing():
    index = ContaminationIndex.of([])
    assert index.coverage == {}
    assert index.hits(["a text of more than thirteen words is needed here to see anything at all", ""]) == [{}, {}]


@pytest.fixture
def index():
    chance = random.Random(5)
    texts = [EvaluationText(f"task{n % 3}", f"é{n}", sentence(chance, 5 + n)) for n in range(40)]
    return ContaminationIndex.of([*texts, EvaluationText("sums", "0", "1+2=")])


def test_an_index_comes_back_from_a_file(index, tmp_path):
    index.save(tmp_path / "index")
    loaded = ContaminationIndex.load(tmp_path / "index")
    assert loaded.fingerprint == index.fingerprint
    assert loaded.coverage == index.coverage
    chance = random.Random(5)
    documents = [sentence(chance, 5 + n) for n in range(40)]
    assert any(index.hits(documents))
    assert loaded.hits(documents) == index.hits(documents)


def test_the_fingerprint_follows_the_texts(index):
    texts = [EvaluationText("t", "0", " ".join(VOCABULARY[:20]))]
    other = ContaminationIndex.of([*texts, EvaluationText("t", "0", "3 + 4 =")])
    assert len({index.fingerprint, ContaminationIndex.of(texts).fingerprint, other.fingerprint}) == 3
    assert ContaminationIndex.of(texts).fingerprint == ContaminationIndex.of(iter(texts)).fingerprint


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"", lambda content: b"x" * 99]
)
def test_a_damaged_index_is_refused(index, tmp_path, damage):
    path = tmp_path / "index"
    index.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadInput, match=r"index is no readable contamination index .*; make it again"):
        ContaminationIndex.load(path)
    with pytest.raises(BadInput, match="no readable contamination index"):
        ContaminationIndex.load(tmp_path / "absent")


def test_the_report_adds_up(index):
    report = ContaminationReport(index)
    assert report.as_list() == []
    hits = [{"task1": {"é10": 2, "é4": 1}}, {}, {"task1": {"é10": 1}, "task2": {"é20": 1}}]
    for each in hits:
        report.add(each)
    first, second = report.as_list()
    assert first == {
        "task": "task1",
        "items": 2,
        "testable": 12,
        "of": 13,
        "documents": 2,
        "item_ids": ["é10", "é4"],
    }
    assert (second["task"], second["items"], second["documents"]) == ("task2", 1, 1)
    assert records_of("web", "d1", hits[2]) == [
        {"source": "web", "document": "d1", "reason": "contaminated", "task": "task1", "items": {"é10": 1}},
        {"source": "web", "document": "d1", "reason": "contaminated", "task": "task2", "items": {"é20": 1}},
    ]
    assert records_of("web", "d2", {}) == []


def test_hits_do_not_depend_on_the_company():
    chance = random.Random(8)
    texts = [sentence(chance, 20) for _ in range(30)]
    index = ContaminationIndex.of(EvaluationText("t", str(n), text) for n, text in enumerate(texts))
    documents = [" ".join(chance.sample(texts, 3)) if chance.random() < 0.5 else "" for _ in range(50)]
    assert index.hits(documents) == [index.hits([document])[0] for document in documents]
    # Nothing reaches from one document into the next.
    halves = texts[0].split()
    assert index.hits([" ".join(halves[:10]), " ".join(halves[10:])]) == [{}, {}]
    assert np.array([bool(each) for each in index.hits(documents)]).any()
