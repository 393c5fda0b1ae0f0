import math
import random

import pytest

from smidgen.evaluation.intervals import wilson_interval
from smidgen.lab.diagnosis import (
    bits_by_domain,
    calibration,
    disagreements,
    histogram,
    margin,
    margins,
    outer_groups,
    parts,
)


def choice(key, values, label=0, *, task="t", characters=None, groups=(), **credit):
    best = max(values)
    winners = [index for index, value in enumerate(values) if value == best]
    own = {"acc": 1 / len(winners) if label in winners else 0.0}
    return {
        "task": task, "item": key, "groups": list(groups), "labels": [label], "log_probabilities": values,
        "characters": characters or [5] * len(values), "bytes": [7] * len(values), **own, **credit,
    }  # fmt: skip


def record(*items, **scores):
    return {"model": "m", "scores": scores, "items": list(items)}


def test_a_margin_compares_the_best_right_ending_with_the_best_wrong_one():
    item = {**choice("a", [-9.0, -4.0, -3.0, -6.0]), "labels": [0, 1]}
    assert margin(item, "acc") == -1.0


def test_a_margin_is_normalised_as_its_metric_is():
    item = choice("a", [-4.0, -9.0], characters=[2, 9])
    assert margin(item, "acc") == 5.0
    assert margin(item, "acc_norm") == pytest.approx(-1.0)
    assert margin(item, "acc_bytes") == pytest.approx(5 / 7)


def test_an_item_without_wrong_endings_or_without_choices_has_no_margin():
    assert margin({**choice("a", [-1.0, -2.0]), "labels": [0, 1]}, "acc") is None
    assert margins(record({"task": "t", "item": "c", "acc": 1}), "t", "acc") == {}


def test_tokens_normalise_where_an_item_keeps_them():
    item = {**choice("a", [-4.0, -9.0], characters=[2, 9]), "tokens": [1, 3]}
    assert margin(item, "acc_norm") == -1.0
    assert margin(item, "acc") == 5.0


def test_disagreements_are_split_by_who_was_right_and_ordered_by_how_clearly():
    a = record(choice("x", [-1, -2]), choice("y", [-1, -9]), choice("z", [-5, -1]), choice("w", [-1, -2]))
    b = record(choice("x", [-2, -1]), choice("y", [-8, -1]), choice("z", [-1, -3]), choice("w", [-1, -3]))
    found = disagreements(a, b, "t", "acc")
    assert [one.item for one in found.only_a] == ["y", "x"]
    assert [one.item for one in found.only_b] == ["z"]
    assert (found.alike, found.n) == (1, 4)
    (z,) = found.only_b
    assert (z.choice_a, z.choice_b, z.labels, z.margin_a, z.margin_b) == (1, 0, (0,), -4, 2)


def test_a_tie_differs_from_a_right_answer_and_items_of_one_model_alone_do_not_count():
    a = record(choice("x", [-1, -1]), choice("only here", [-1, -2]))
    b = record(choice("x", [-1, -2]))
    found = disagreements(a, b, "t", "acc")
    assert [one.item for one in found.only_b] == ["x"]
    assert found.n == 1


def test_shares_of_probability_differ_only_across_a_half():
    a = record(choice("x", [-1, -2], acc=0.61), choice("y", [-1, -2], acc=0.7))
    b = record(choice("x", [-1, -2], acc=0.52), choice("y", [-1, -2], acc=0.4))
    found = disagreements(a, b, "t", "acc")
    assert [one.item for one in found.only_a] == ["y"]
    assert found.alike == 1


def test_completions_differ_without_choices_or_margins():
    a, b = (record({"task": "t", "item": "c", "acc": acc}) for acc in (0, 1))
    (one,) = disagreements(a, b, "t", "acc").only_b
    assert (one.choice_a, one.margin_b, one.labels) == (None, None, ())


def test_a_histogram_has_an_edge_at_zero_and_shares_that_sum_to_one():
    dice = random.Random(3)
    made = histogram({"a": [dice.gauss(2, 1) for _ in range(700)], "b": [-30.0, 0.5, 900.0]}, bins=11)
    assert 0.0 in made.edges
    for shares in made.shares.values():
        assert len(shares) == len(made.edges) - 1
        assert sum(shares) == pytest.approx(1)


def test_a_histogram_of_nothing_but_zeros_can_be_drawn():
    assert sum(histogram({"a": [0.0, 0.0]}).shares["a"]) == 1


def test_a_histogram_needs_values():
    with pytest.raises(ValueError, match="at least one value"):
        histogram({"a": [1.0], "b": []})


def sure(confidence, right, key):
    """An item answered with this confidence of two."""
    values = [math.log(confidence), math.log(1 - confidence)]
    return choice(key, values if right else values[::-1])


def test_a_model_that_is_as_often_right_as_it_is_sure_is_calibrated():
    items = [sure(0.75, number % 4 != 0, str(number)) for number in range(200)]
    found = calibration(record(*items), "t")
    (only,) = found.bins
    assert only.confidence == pytest.approx(0.75)
    assert only.accuracy.value == 0.75
    assert found.error.value == pytest.approx(0, abs=1e-12)
    assert found.error.low <= found.error.value <= found.error.high


def test_the_calibration_error_is_the_mean_distance_over_bins():
    items = [sure(0.95, number < 30, f"a{number}") for number in range(60)]
    items += [sure(0.65, True, f"b{number}") for number in range(20)]
    error = calibration(record(*items), "t").error
    assert error.value == pytest.approx((60 * 0.45 + 20 * 0.35) / 80)
    assert error.low < error.value < error.high
    assert error.high - error.low < 0.25


def test_there_is_no_calibration_without_choices():
    assert calibration(record({"task": "t", "item": "c", "acc": 1}), "t") is None


def test_parts_are_taken_as_stored_and_else_from_the_groups_of_items():
    items = [choice(str(number), [-1, -2] if number < 5 else [-2, -1], groups=("g",)) for number in range(7)]
    stored = {"t/h": {"acc": {"value": 0.25, "low": 0.1, "high": 0.5, "n": 11, "stderr": 0.1}}}
    found = parts(record(*items, **stored), "t", "acc")
    assert found["h"].n == 11
    assert (found["g"].low, found["g"].high) == wilson_interval(5, 7)


def test_outer_groups_lie_in_no_larger_group():
    pairs = [("set-1", "binding"), ("set-2", "binding"), ("set-3", "ellipsis"), ("set-4", "ellipsis")]
    items = [choice(str(number), [-1, -2], groups=groups) for number, groups in enumerate(pairs)]
    assert outer_groups(record(*items), "t") == ["binding", "ellipsis"]


def test_groups_that_hold_the_same_items_are_both_outer():
    assert outer_groups(record(choice("a", [-1, -2], groups=("x", "y"))), "t") == ["x", "y"]


def test_bits_per_byte_of_a_domain_is_bits_over_bytes():
    documents = [
        {"task": "held", "item": str(number), "groups": [group], "nats": nats, "bytes": size}
        for number, (group, nats, size) in enumerate([("web", 30, 20), ("web", 50, 70), ("code", 13, 11)])
    ]
    scores = {"held": {"bits_per_byte": {"value": 1.5, "low": 1.0, "high": 2.0, "n": 3}}, "t": {"acc": {}}}
    found = bits_by_domain(record(*documents, **scores))
    assert list(found) == ["held", "held/web", "held/code"]
    assert found["held/web"].value == pytest.approx(80 / math.log(2) / 90)
