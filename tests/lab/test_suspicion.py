import pytest

from smidgen.lab.suspicion import suspicious_scores


def warnings_of(metric, value, n):
    return list(suspicious_scores({"scores": {"blimp": {metric: {"value": value, "n": n}}}}))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_exactly_none_or_all_of_more_than_200_items_is_suspicious(value):
    (sentence,) = warnings_of("acc_norm", value, 201)
    assert f"blimp, acc norm: exactly {100 * value:.0f}% on 201 items" in sentence


@pytest.mark.parametrize(
    ("metric", "value", "n"), [("acc", 1.0, 200), ("acc", 0.999, 5000), ("byte_perplexity", 1.0, 5000)]
)
def test_few_items_other_values_and_perplexities_are_not(metric, value, n):
    assert warnings_of(metric, value, n) == []
