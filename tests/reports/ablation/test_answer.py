from pathlib import Path

import pytest

from smidgen.reports.ablation.answer import MOST_TOLD, headline, told
from smidgen.reports.ablation.result import read_result

from .conftest import CASES, ONE, Change


def verdict(name, words, difference=None, low=None, high=None, **other):
    known = {"variant": name, "task": "bits-per-byte", "metric": "bits_per_byte", "seeds": 3, "verdict": words}
    return {**known, "difference": difference, "low": low, "high": high, **other}


@pytest.fixture
def read(ablation):
    def make(verdicts, changes=None, **options):
        names = dict.fromkeys(one["variant"] for one in verdicts)
        result = ablation(changes or {name: Change() for name in names}, **options)
        return read_result({**result, "verdicts": verdicts}, Path("ablation.json"))

    return make


def test_a_difference_is_told_in_the_direction_of_its_verdict(read):
    worse = verdict("no-xsa", "worse", 0.0061, 0.0032, 0.0090, p=0.004, p_adjusted=0.004)
    better = verdict(
        "wide", "better", -0.0093, -0.0154, -0.0032, p=0.001, p_adjusted=0.012, expected_gain={"value": 0.0071}
    )
    assert [one.sentence for one in told(read([worse, better]))] == [
        "no-xsa is worse by 0.0061 bits per byte (0.0032 to 0.0090), 3 seeds, p 0.004.",
        "wide is better by 0.0093 bits per byte (0.0032 to 0.0154), 3 seeds, adjusted p 0.012; "
        "a repetition should gain about 0.0071.",
    ]


def test_what_cannot_be_told_says_how_many_seeds_it_needs(read):
    words = "not distinguishable (needs about 4 more seeds)"
    (one,) = told(read([verdict("x", words, -0.0012, -0.0043, 0.002, p=0.31, p_adjusted=0.31)]))
    assert one.sentence == (
        "x cannot be told from the base: −0.0012 (−0.0043 to +0.0020) bits per byte, 3 seeds, p 0.31; "
        "needs about 4 more seeds."
    )
    assert one.kind == "unsure"


def test_tasks_with_a_verdict_are_told_in_points(read):
    on_task = verdict("x", "worse", -0.0186, -0.03, -0.007) | {"task": "minimal-pairs", "metric": "acc"}
    unsure = verdict("x", "not distinguishable (needs about 9 more seeds)", 0.001, -0.1, 0.1) | {"task": "copa"}
    (one,) = told(read([verdict("x", "diverged (2 of 3 seeds)"), on_task, unsure]))
    assert one.sentence == "x diverged (2 of 3 seeds). Also worse on Minimal pairs (−1.9 points)."


def test_several_variants_are_counted_by_kind(read):
    verdicts = [
        verdict("a", "better", -0.01),
        verdict("b", "not distinguishable (needs about 4 more seeds)", 0.001),
        verdict("c", "diverged (1 of 3 seeds)"),
        verdict("d", "stopped by halving"),
        verdict("e", "not enough seeds (1 of 3)"),
    ]
    assert headline(read(verdicts)) == (
        "Of 5 variants against the base, 1 is better (a); "
        "1 cannot be told from it, 1 diverged, 1 was stopped by halving and 1 has no verdict yet."
    )
    assert headline(read(verdicts[1:3])) == (
        "Of 2 variants against the base, none is shown to be better or worse; "
        "1 cannot be told from it and 1 diverged."
    )


def test_a_variant_without_any_verdict_says_how_many_seeds_have_finished(read):
    result = read([verdict("b", "worse", 0.1)], {"b": Change(), "c": Change(missing=(2, 3))})
    assert told(result)[1].sentence == "c has no verdict yet: 1 of 3 seeds finished."


def test_of_many_variants_the_best_come_first_and_those_that_diverged_last(ablation):
    changes, options = CASES["sweep"]
    listed = told(read_result(ablation(changes, **options), Path("ablation.json")))
    assert len(listed) == 30 > MOST_TOLD
    assert [one.kind for one in listed[-2:]] == ["diverged", "diverged"]
    # The rate nearest to the best of the generated ones.
    assert listed[0].name in ("lr=0.0048", "lr=0.0059", "lr=0.0072")


def test_a_difference_of_another_scale_is_no_part_of_the_answer(read):
    at_twice = verdict("x", "better", -0.01, scale=2)
    (one,) = told(read([verdict("x", "worse", 0.01, scale=1), at_twice], scales=(1, 2)))
    assert one.kind == "worse"


def test_without_two_seeds_there_is_no_noise_floor_to_tell(ablation):
    result = read_result({**ablation({}, seeds=(1,)), "noise_floor": []}, Path("ablation.json"))
    assert headline(result).startswith("The noise floor of gpt-s-5m is not measured yet")


def test_the_noise_floor_is_told_with_what_could_be_found(ablation):
    found = headline(read_result(ablation({}), Path("ablation.json")))
    assert found.startswith("3 seeds of gpt-s-5m differ by 0.00")
    assert found.endswith("to be found with 3 seeds in four of five tries.")


def test_noise_and_power_of_other_scales_are_left_out(ablation):
    result = ablation(ONE)
    noise = [{**one, "tokens": 2 * one["tokens"], "standard_deviation": 9.9} for one in result["noise_floor"]]
    both = read_result({**result, "noise_floor": [*result["noise_floor"], *noise]}, Path("ablation.json"))
    assert len(both.noise_floor) == len(result["noise_floor"])
    assert max(one.standard_deviation for one in both.noise_floor) < 1
