"""Near duplicates: the estimate against the true similarity, the decision against all pairs, planted edits."""

import random
import re

import numpy as np
import pytest

from smidgen.data.quality import near_duplicates
from smidgen.data.quality.near_duplicates import repeated_documents, signatures, similarity
from smidgen.errors import BadInput

pytest.importorskip("rensa")

VOCABULARY = [f"{first}{last}" for first in ("ba", "do", "ki", "lu", "me", "so", "ta") for last in "nrstlmdg"] * 5


def text(chance, words=250):
    return " ".join(chance.choices(VOCABULARY, k=words))


def edited(chance, original, share):
    words = original.split()
    for place in chance.sample(range(len(words)), round(share * len(words))):
        words[place] = f"new{chance.randrange(10**6)}"
    return " ".join(words)


def jaccard(first, second):
    runs = []
    for each in (first, second):
        words = re.findall("[a-z0-9]+", each.lower())
        runs.append({tuple(words[i : i + 5]) for i in range(len(words) - 4)})
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


# Words edited, threshold, and the share that is found: of 5-word runs 0.95 ** 5 stay, which is a similarity of 0.63.
@pytest.mark.parametrize(
    ("share", "threshold", "least", "most"),
    [
        (0.0, 0.8, 1.0, 1.0),
        (0.01, 0.8, 0.99, 1.0),
        (0.02, 0.8, 0.6, 0.95),
        (0.05, 0.8, 0.0, 0.01),
        (0.05, 0.6, 0.6, 0.95),
        (0.05, 0.5, 0.98, 1.0),
        (0.1, 0.8, 0.0, 0.0),
        (0.1, 0.6, 0.0, 0.01),
        (0.3, 0.5, 0.0, 0.0),
    ],
)
def test_planted_near_duplicates_are_found_as_often_as_their_similarity_says(share, threshold, least, most):
    chance = random.Random(11)
    originals = [text(chance) for _ in range(400)]
    copies = [edited(chance, original, share) for original in originals]
    earlier = repeated_documents([signatures(originals), signatures(copies)], threshold)
    assert (earlier[:400] == -1).all()
    found = earlier[400:]
    assert ((found == -1) | (found == np.arange(400))).all()
    assert least <= (found >= 0).mean() <= most


def test_the_estimate_is_unbiased_and_as_precise_as_128_minima_are():
    chance = random.Random(2)
    originals = [text(chance) for _ in range(300)]
    copies = [edited(chance, original, 0.03) for original in originals]
    errors = similarity(signatures(originals), signatures(copies)) - [
        jaccard(*pair) for pair in zip(originals, copies, strict=True)
    ]
    assert abs(errors.mean()) < 0.006
    # sqrt(0.75 * 0.25 / 128) = 0.038 at a similarity of 0.75.
    assert 0.02 < errors.std() < 0.045


def test_blanks_case_and_punctuation_do_not_matter():
    first = "The quick brown fox doesn't jump over the lazy dog, and the dog sleeps on."
    second = "the  quick BROWN fox doesn’t jump\nover the lazy dog – and the “dog” sleeps on"
    assert (signatures([first]) == signatures([second])).all()


def test_a_signature_depends_on_its_text_alone():
    chance = random.Random(4)
    texts = [text(chance, words) for words in (5, 6, 30, 100, 400, 3)]
    alone = np.concatenate([signatures([each]) for each in texts])
    assert (signatures(texts) == alone).all()
    assert (signatures(texts[::-1])[::-1] == alone).all()


def test_short_texts_are_like_no_other():
    rows = signatures(["one two three four", "", "one two three four", "one two three four five"])
    assert rows.shape == (4, 16)
    assert not rows[:3].any()
    assert rows[3].any()
    assert repeated_documents([rows], 0.5).tolist() == [-1, -1, -1, -1]
    assert signatures([]).shape == (0, 16)


@pytest.fixture(scope="module")
def family():
    """Families of a text, copies of it and copies of copies, in a mixed order."""
    chance = random.Random(6)
    texts = []
    for _ in range(40):
        grown = [text(chance, 120)]
        for _ in range(chance.randrange(5)):
            grown.append(edited(chance, chance.choice(grown), chance.choice([0, 0.005, 0.01, 0.02, 0.1])))
        texts += grown
    chance.shuffle(texts)
    return signatures(texts)


@pytest.mark.parametrize("threshold", [0.6, 0.8])
def test_the_decision_is_that_of_all_pairs(family, threshold):
    found = repeated_documents([family], threshold)
    alike = np.array([similarity(family, np.tile(row, (len(family), 1))) for row in family])
    expected = [next((j for j in range(i) if alike[i, j] >= threshold), -1) for i in range(len(family))]
    # Bands miss a pair at the threshold once in twenty times, and a larger group holds others.
    assert (found >= 0).sum() > 30
    assert ((found == -1) | (np.array(expected) >= 0)).all()
    assert (found == expected).mean() > 0.97


@pytest.mark.parametrize(("rows", "read", "pairs"), [(30, 7, 3), (1000, 16, 1000), (41, 1000, 1)])
def test_parts_and_memory_do_not_change_the_decision(family, monkeypatch, rows, read, pairs):
    whole = repeated_documents([family], 0.8)
    monkeypatch.setattr(near_duplicates, "_ROWS_AT_ONCE", rows)
    monkeypatch.setattr(near_duplicates, "_ROWS_READ", read)
    monkeypatch.setattr(near_duplicates, "_PAIRS_AT_ONCE", pairs)
    parts = [family[:10], family[:0], family[10:11], family[11:70], family[70:]]
    assert repeated_documents(parts, 0.8).tolist() == whole.tolist()


def test_signatures_may_be_memory_mapped_files(family, tmp_path):
    family.tofile(tmp_path / "signatures")
    mapped = np.memmap(tmp_path / "signatures", np.uint64, "r").reshape(-1, 16)
    assert repeated_documents([mapped], 0.8).tolist() == repeated_documents([family], 0.8).tolist()


def test_what_is_not_kept_takes_no_part():
    row = signatures(["the same words are in all of these texts"])
    rows = np.repeat(row, 4, axis=0)
    assert repeated_documents([rows], 0.8).tolist() == [-1, 0, 0, 0]
    kept = np.array([False, True, False, True])
    assert repeated_documents([rows], 0.8, kept=kept).tolist() == [-1, -1, -1, 1]
    assert repeated_documents([], 0.8).tolist() == []


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"near duplicates need the package rensa, .* pip install"):
        signatures(["a text"])
