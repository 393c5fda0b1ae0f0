from pathlib import Path

import pytest

from smidgen.reports.ablation.realised import realised
from smidgen.reports.ablation.result import read_result

from .conftest import Change


@pytest.fixture
def rows(ablation):
    def make(changes, **options):
        found = realised(read_result(ablation(changes, **options), Path("ablation.json")))
        return {row.key: row for row in found}

    return make


def test_what_was_held_equal_is_marked_and_the_rest_shown_beside_it(rows):
    found = rows({"wide": Change(parameters=6_000_000)})
    assert [key for key, row in found.items() if row.is_held] == ["tokens"]
    assert (found["tokens"].low, found["tokens"].high, found["tokens"].spread) == ("3,997,696", "3,997,696", 0.0)
    assert (found["parameters"].base, found["parameters"].high) == ("5,158,464", "6,000,000")
    assert found["parameters"].spread == pytest.approx(1 - 5_158_464 / 6_000_000)
    assert found["flops"].spread > 0.1


def test_equal_parameters_hold_the_tokens_too(rows):
    budget = {"equal": "parameters", "tokens": 4_000_000, "scales": [1], "sentence": ""}
    assert {key for key, row in rows({"x": Change()}, budget=budget).items() if row.is_held} == {
        "tokens",
        "parameters",
    }


def test_trials_that_did_not_finish_do_not_count(rows):
    assert rows({"hot": Change(states=dict.fromkeys((1, 2, 3), "diverged"))})["tokens"].low == "3,997,696"
    assert rows({}, base=Change(missing=(1, 2, 3))) == {}
