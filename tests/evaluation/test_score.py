import math

import pytest

from smidgen.evaluation.score import accuracy, bits_per_byte, perplexity


def test_accuracy_reports_items_and_ties():
    score = accuracy([1.0, 0.0, 0.5, 0.5], ties=2)
    assert (score.value, score.n, score.ties) == (0.5, 4, 2)
    assert score.low < 0.5 < score.high


def test_bits_per_byte_of_a_uniform_model_is_exact():
    # 256 equally probable bytes cost 8 bits each.
    nats = [length * math.log(256) for length in (10, 33, 7)]
    assert bits_per_byte(nats, [10, 33, 7]).value == pytest.approx(8, abs=1e-12)


def test_perplexity_of_a_uniform_model_is_exact_per_unit():
    # 61 equally probable tokens; 3 tokens a word, 12 bytes a word.
    words = [2, 5, 11]
    nats = [3 * count * math.log(61) for count in words]
    for units, per_unit in ((3, 61), (1, 61**3), (12, 61 ** (1 / 4))):
        score = perplexity(nats, [units * count for count in words])
        assert score.value == pytest.approx(per_unit, rel=1e-9)
        assert score.low == pytest.approx(per_unit, rel=1e-9)


def test_the_standard_error_is_that_of_the_harness():
    credits = [1.0, 0.0, 0.0, 1.0, 1.0]
    deviation = math.sqrt(sum((credit - 0.6) ** 2 for credit in credits) / 4)
    assert accuracy(credits).stderr == pytest.approx(deviation / math.sqrt(5), abs=1e-12)
    assert accuracy([1.0]).stderr is None


def test_the_standard_error_over_subtasks_is_the_one_that_the_harness_pools():
    metrics = pytest.importorskip("lm_eval.api.metrics")
    parts = {"a": [1.0, 0.0, 0.0, 1.0, 1.0], "b": [1.0, 1.0, 0.0], "c": [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0]}
    pooled = accuracy(
        [credit for credits in parts.values() for credit in credits],
        strata=[name for name, credits in parts.items() for _ in credits],
    )
    theirs = metrics.pooled_sample_stderr(
        [accuracy(credits).stderr for credits in parts.values()], [len(credits) for credits in parts.values()]
    )
    assert pooled.stderr == pytest.approx(theirs, abs=1e-12)
    assert pooled.stderr != pytest.approx(accuracy([credit for part in parts.values() for credit in part]).stderr)


def test_a_perplexity_beyond_all_numbers_stays_one_that_json_can_hold():
    assert math.isfinite(perplexity([1e9, 2e9], [1, 1]).value)
