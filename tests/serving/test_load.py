import sys

import pytest

from .client import listening
from .load import answer, requests, resident_megabytes, together

CLIENTS = 16


@pytest.fixture(scope="module")
def port(app):
    with listening(app) as port:
        yield port


@pytest.fixture(scope="module")
def bodies():
    return requests(60)


@pytest.fixture(scope="module")
def expected(port, bodies):
    return [answer(port, body) for body in bodies]


def check_load(port, bodies, expected, *, each):
    # Once through all of it, so that what grows afterwards grows with the number of requests.
    together(port, bodies, expected, clients=CLIENTS, each=20)
    before = resident_megabytes() if sys.platform == "linux" else 0
    outcome = together(port, bodies, expected, clients=CLIENTS, each=each)
    grown = resident_megabytes() - before if sys.platform == "linux" else 0
    assert outcome.errors == []
    assert outcome.different == 0
    assert len(outcome.seconds) == CLIENTS * each
    assert grown <= 20


def test_the_requests_differ_in_what_they_get(expected):
    # Some greedy texts after one prompt are alike.
    assert len({str(choices) for choices in expected}) > 0.8 * len(expected)


def test_sixteen_clients_get_what_each_request_gets_alone(port, bodies, expected):
    check_load(port, bodies, expected, each=63)


@pytest.mark.soak
def test_sixteen_clients_with_a_thousand_requests_each(port, bodies, expected):
    check_load(port, bodies, expected, each=1_000)


def test_a_hundred_clients_at_once_are_answered_or_told_to_wait(port, bodies, expected):
    outcome = together(port, bodies, expected, clients=100, each=2)
    assert outcome.different == 0
    assert len(outcome.seconds) == 200
    assert all("429" in error for error in outcome.errors)
    assert len(outcome.errors) < 100
