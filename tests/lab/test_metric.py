import math

import pytest

from smidgen.lab.metric import Metric


def test_accuracies_count_items_and_perplexities_documents():
    item = {"item": "a", "acc": 1, "nats": 7.0, "bytes": 5, "words": 2, "tokens": 3}
    assert Metric("acc").result_of(item) == (1.0, 1.0)
    assert Metric("bits_per_byte").result_of(item) == (7.0, 5.0)
    assert Metric("word_perplexity").result_of(item) == (7.0, 2.0)
    assert Metric("token_perplexity").result_of(item) == (7.0, 3.0)


def test_only_what_measures_surprise_is_better_when_lower():
    assert [Metric(name).lower_is_better for name in ("acc_norm", "exact_match", "bits_per_byte")] == [
        False,
        False,
        True,
    ]


def test_values_are_in_the_unit_of_the_metric():
    assert Metric("bits_per_byte").value(3 * math.log(2)) == pytest.approx(3)
    assert Metric("byte_perplexity").value(math.log(11)) == pytest.approx(11)
    assert Metric("acc").value(0.25) == 0.25


def test_an_item_without_the_metric_is_named():
    with pytest.raises(ValueError, match="item q7 holds no acc_norm"):
        Metric("acc_norm").result_of({"item": "q7", "acc": 1})
