import json

import pytest

from smidgen.lab.tokenizers.comparison import SAMPLE, compared, described
from smidgen.tokenization.quality import inspect

from .conftest import TEXTS


def test_one_tokenizer_keeps_all_that_inspect_says(measured, recipe):
    found = described(measured["small"], recipe, widths=[64], sample="The cat")
    assert inspect(measured["small"].subject.tokenizer, TEXTS).items() <= found.items()
    assert found["name"] == "small"
    assert list(found["parameter_shares"]) == ["64"]
    assert list(found["bytes_per_token_intervals"]) == ["tales", "notes", "all text"]
    assert found["equal_parameters"]["recipe"] == "gpt-s-5m"
    assert "".join(one["piece"] for one in found["sample"]["pieces"]) == "The cat"
    assert found["sample"]["pieces"][0]["kind"] == "capitals"


def test_later_ones_are_held_against_the_first(measured, recipe):
    found = compared([measured["small"], measured["large"], measured["cased"]], recipe)
    assert [row["name"] for row in found["tokenizers"]] == ["small", "large", "cased"]
    assert [(one["a"], one["b"], one["domain"]) for one in found["comparison"]["differences"]] == [
        ("small", other, domain) for other in ("large", "cased") for domain in ("tales", "notes", "all text")
    ]
    costs = found["comparison"]["training_cost_of_the_same_text"]
    assert costs["small"] == 1
    ratio = found["comparison"]["differences"][2]["tokens_ratio"]["value"]
    # Models of equal size differ in operations per token only by attention, so tokens are what counts.
    assert costs["large"] == pytest.approx(ratio, rel=0.02)


def test_the_sample_holds_what_tokenizers_treat_differently(measured, recipe):
    kinds = {one["kind"] for one in described(measured["cased"], recipe)["sample"]["pieces"]}
    assert kinds >= {"letters", "case markers", "digits", "signs", "whitespace", "parts of characters"}
    assert any(letter.isupper() for letter in SAMPLE)


def test_the_result_is_plain_data(measured, recipe):
    found = compared(list(measured.values()), recipe)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
