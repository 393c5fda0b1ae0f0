import random

import pytest

from smidgen.evaluation.intervals import ratio_interval
from smidgen.lab.tokenizers.compression import (
    ALL_TEXT,
    MOST_GROUPS,
    bytes_per_token,
    difference,
    documents,
    domains_of,
)
from smidgen.tokenization.quality.measurement import Domain, Measurement


def made(subject, pairs, name="made"):
    """A measurement with these bytes and tokens of documents."""
    domain = Domain()
    for text_bytes, tokens in pairs:
        domain.document_bytes.append(text_bytes)
        domain.document_tokens.append(tokens)
    return Measurement(subject=subject, domains={name: domain})


@pytest.fixture
def subject(measured):
    return measured["small"].subject


def test_domains_without_text_are_left_out(measured):
    assert domains_of(measured["small"]) == ["tales", "notes", ALL_TEXT]


def test_one_domain_is_all_there_is(subject):
    assert domains_of(made(subject, [(3, 1)])) == ["made"]


def test_bytes_per_token_come_with_an_interval_over_documents(measured):
    found = bytes_per_token(measured["small"], "tales")
    domain = measured["small"].domains["tales"]
    assert found.value == domain.text_bytes / domain.tokens
    low, high = ratio_interval(domain.document_bytes, domain.document_tokens)
    # A little wider, because 40 documents are few.
    assert low - 0.02 < found.low < low < found.value < high < found.high < high + 0.02


def test_all_text_is_every_document(measured):
    text_bytes, tokens = documents(measured["large"], ALL_TEXT)
    assert (text_bytes.sum(), tokens.sum()) == (measured["large"].text_bytes, measured["large"].tokens)
    assert len(text_bytes) == 65


def test_a_single_document_has_no_interval(subject):
    found = bytes_per_token(made(subject, [(12, 4), (0, 0)]), "made")
    assert (found.value, found.low, found.high) == (3, None, None)


def test_more_entries_need_fewer_tokens(measured):
    found = difference(measured["small"], measured["large"], "tales")
    small, large = (measured[name].domains["tales"] for name in ("small", "large"))
    assert found["tokens_ratio"]["value"] == large.tokens / small.tokens
    assert found["bytes_per_token"]["value"] == pytest.approx(large.bytes_per_token - small.bytes_per_token)
    assert found["tokens_ratio"]["low"] < found["tokens_ratio"]["value"] < found["tokens_ratio"]["high"] < 1
    assert 0 < found["bytes_per_token"]["low"] < found["bytes_per_token"]["high"]
    assert (found["a"], found["b"], found["documents"]) == ("small", "large", 40)
    assert found["verdict"] == "fewer tokens"
    assert difference(measured["large"], measured["small"], "tales")["verdict"] == "more tokens"


def test_pairing_makes_the_interval_narrow(subject):
    draw = random.Random(1)
    sizes = [draw.randint(100, 5000) for _ in range(50)]
    first = [(size, size // draw.randint(2, 6)) for size in sizes]
    second = [(size, round(1.03 * tokens)) for size, tokens in first]
    a, b = made(subject, first), made(subject, second)
    assert difference(a, b, "made")["verdict"] == "more tokens"
    assert difference(a, b, "made")["tokens_ratio"]["high"] < 1.035
    assert bytes_per_token(a, "made").low < bytes_per_token(b, "made").value


def test_a_difference_by_chance_is_no_verdict(subject):
    draw = random.Random(2)
    first = [(100, draw.randint(20, 40)) for _ in range(30)]
    second = [(100, tokens + draw.choice((-3, 3))) for _, tokens in first]
    assert difference(made(subject, first), made(subject, second), "made")["verdict"] == "not distinguishable"


def test_of_one_document_nothing_is_certain(subject):
    found = difference(made(subject, [(10, 5)]), made(subject, [(10, 2)]), "made")
    assert (found["tokens_ratio"]["low"], found["verdict"]) == (None, "not distinguishable")


def test_many_documents_are_put_into_groups(subject):
    many = made(subject, [(10 + number % 7, 3 + number % 3) for number in range(2500)])
    text_bytes, tokens = documents(many, "made")
    assert len(text_bytes) == len(tokens) == MOST_GROUPS
    assert text_bytes.sum() == many.text_bytes
    assert difference(many, many, "made")["documents"] == 2500
