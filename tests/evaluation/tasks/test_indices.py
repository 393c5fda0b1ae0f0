import math

import pytest

from smidgen.evaluation.intervals import Z_95
from smidgen.evaluation.tasks.indices import glint_overall, indices, intelligence_index

# The leaderboard's own example, in percent; each with a standard error of its own.
EXAMPLE = {
    "arc_easy": (51.01, 0.7),
    "arc_challenge": (27.13, 1.1),
    "piqa": (66.76, 1.3),
    "hellaswag": (39.83, 0.2),
    "arithmark3": (38.9, 1.7),
}


def measured(value: float, error: float) -> dict[str, float]:
    return {"value": value, "low": value - Z_95 * error, "high": value + Z_95 * error}


def example_scores() -> dict:
    return {task: {"acc_norm": measured(value / 100, error / 100)} for task, (value, error) in EXAMPLE.items()}


def tiny_ml_scores(perplexity: dict[str, float]) -> dict:
    return {
        "blimp": {"acc": measured(0.62, 0.01)},
        "arc_easy": {"acc": measured(0.35, 0.02), "acc_norm": measured(0.9, 0.5)},
        "wikitext": {"byte_perplexity": perplexity},
    }


def test_the_intelligence_index_gives_the_published_value():
    index = intelligence_index(example_scores())
    assert index is not None
    assert index.value == pytest.approx(23.041095890410958, abs=1e-12)


def test_the_error_of_the_intelligence_index_is_that_of_its_weighted_parts():
    weights = {
        "arc_easy": 100 / 75 / 2,
        "arc_challenge": 100 / 75 / 2,
        "piqa": 100 / 50,
        "hellaswag": 100 / 75,
        "arithmark3": 0.65 * 100 / 75,
    }
    expected = math.hypot(*(weights[task] * error for task, (_, error) in EXAMPLE.items())) / 3.65
    found = indices(example_scores())["intelligence_index"]
    assert (found["high"] - found["low"]) / (2 * Z_95) == pytest.approx(expected)
    assert (found["high"] + found["low"]) / 2 == pytest.approx(found["value"])


def test_the_intelligence_index_is_not_clamped_at_chance():
    scores = {task: {"acc_norm": measured(0.0, 0.0)} for task in EXAMPLE}
    index = intelligence_index(scores)
    assert index is not None
    assert index.value == pytest.approx(-(100 / 3 + 100 / 3 + 100 + 0.65 * 100 / 3) / 3.65)


@pytest.mark.parametrize("missing", EXAMPLE)
def test_an_index_needs_all_its_parts(missing):
    scores = example_scores()
    scores[missing] = {"acc": measured(0.5, 0.1)}
    assert intelligence_index(scores) is None
    assert indices(scores) == {}


def test_the_glint_score_is_the_mean_of_three_parts():
    # Half way between 1.86 and 500 on a logarithmic scale.
    middle = math.sqrt(1.86 * 500)
    index = glint_overall(tiny_ml_scores({"value": middle, "low": middle, "high": middle}))
    assert index is not None
    assert index.value == pytest.approx((62 + 35 + 50) / 3)
    assert index.error == pytest.approx(math.hypot(1, 2) / 3)


def test_a_wider_interval_of_perplexity_widens_that_of_the_glint_score():
    scores = tiny_ml_scores({"value": 3.0, "low": 2.9, "high": 3.1})
    found = indices(scores)["glint_overall"]
    points = 100 * math.log(3.1 / 2.9) / math.log(500 / 1.86)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(math.hypot(Z_95, 2 * Z_95, points / 2) / 3)


@pytest.mark.parametrize(("perplexity", "points"), [(1.2, 100), (1.86, 100), (500, 0), (9000, 0)])
def test_the_wikitext_part_ends_at_both_ends_of_its_scale(perplexity, points):
    index = glint_overall(tiny_ml_scores({"value": perplexity, "low": perplexity, "high": perplexity}))
    assert index is not None
    assert index.value == pytest.approx((62 + 35 + points) / 3)
