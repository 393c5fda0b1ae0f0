import numpy as np
import pytest
from scipy import stats

from smidgen.lab.ablation.power import power
from smidgen.lab.ablation.verdicts import verdicts
from smidgen.lab.metric import Metric

BASE = (2.30, 2.36, 2.33, 2.31, 2.35)
BETTER = (2.20, 2.25, 2.235, 2.21, 2.245)
ALIKE = (2.31, 2.34, 2.34, 2.33, 2.33)


@pytest.fixture(scope="module")
def judge(table, outcome):
    """Verdicts on one table, in which all trials but the named ones finished."""

    def make(*tables, ended=(), **values):
        tables = tables or (table(**values),)
        variants = [
            name for name in dict.fromkeys(name for one in tables for name, _ in one.values) if name != "base"
        ]
        variants += [name for name, _, _ in ended if name not in ("base", *variants)]
        states = {(name, seed): state for name, seed, state in ended}
        outcomes = [
            outcome(name, seed, states.get((name, seed), "finished"), one.scale)
            for one in tables
            for name in ("base", *variants)
            for seed in range(1, 6)
        ]
        return verdicts(variants, tables, outcomes)

    return make


def test_a_verdict_is_a_paired_t_test_over_seeds(judge):
    (found,) = judge(base=BASE, more=BETTER)
    expected = stats.ttest_rel(BETTER, BASE)
    low, high = expected.confidence_interval(0.95)
    assert found.p == found.p_adjusted == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.difference == pytest.approx(found.value - found.base_value)
    assert (found.verdict, found.seeds, found.more_seeds, found.test) == ("better", 5, None, "paired t over seeds")


def test_more_is_better_where_the_metric_says_so(judge, table):
    accuracy = Metric("acc_norm")
    (found,) = judge(table(task="piqa", metric=accuracy, base=BASE, more=BETTER))
    assert found.verdict == "worse"
    assert found.expected_gain.value < 0


def test_one_that_is_not_seen_says_how_many_more_seeds_it_needs(judge):
    (found,) = judge(base=BASE, more=tuple(value - 0.012 for value in ALIKE))
    assert found.verdict == f"not distinguishable (needs about {found.more_seeds} more seeds)"
    assert 5 < found.more_seeds < 100


def test_all_verdicts_of_a_call_are_corrected_together(judge, table):
    two = judge(table(base=BASE, more=BETTER, other=ALIKE), table(scale=2.0, base=BASE, more=BETTER, other=ALIKE))
    assert [(one.variant, one.scale) for one in two] == [("more", 1.0), ("other", 1.0), ("more", 2.0), ("other", 2.0)]
    assert two[0].p_adjusted == pytest.approx(4 * two[0].p)


def test_seeds_that_only_one_side_has_are_left_out(judge):
    (found,) = judge(base=BASE, more={2: 2.25, 4: 2.21, 5: 2.245, 9: 1.0})
    assert found.seeds == 3
    assert found.base_value == pytest.approx((2.36 + 2.31 + 2.35) / 3)


def test_a_variant_that_diverged_gets_no_test_and_takes_none_from_the_others(judge):
    found = judge(
        base=BASE,
        more=BETTER,
        wild={1: 2.0, 2: 2.1, 3: 2.05},
        ended=[("wild", 4, "diverged"), ("wild", 5, "diverged")],
    )
    more, wild = found
    assert more.p_adjusted == more.p
    assert (wild.verdict, wild.p, wild.p_adjusted, wild.seeds) == ("diverged (2 of 5 seeds)", None, None, 3)
    assert wild.low < wild.difference < wild.high < 0


def test_a_variant_that_was_stopped_says_so(judge):
    found = judge(base=BASE, more=BETTER, ended=[("slow", seed, "halved") for seed in range(1, 6)])
    assert (found[1].verdict, found[1].difference, found[1].seeds) == ("stopped by halving", None, 0)


def test_without_two_pairs_there_is_no_verdict(judge):
    (found,) = judge(base=BASE, more={3: 2.2}, ended=[("more", seed, "failed") for seed in (1, 2, 4, 5)])
    assert found.verdict == "not enough seeds (1 of 5)"
    assert found.difference == pytest.approx(2.2 - 2.33)
    assert (found.low, found.p, found.expected_gain) == (None, None, None)


def test_a_base_that_diverged_is_to_blame_where_no_pairs_are_left(judge):
    ended = [("base", seed, "diverged") for seed in (2, 3, 4, 5)]
    (found,) = judge(base={1: 2.3}, more=BETTER, ended=ended)
    assert found.verdict == "base diverged (4 of 5 seeds)"
    (found,) = judge(base={1: 2.3, 2: 2.36, 3: 2.33}, more=BETTER, ended=ended[2:])
    assert (found.verdict, found.seeds) == ("better", 3)


def test_scores_without_noise_decide_nothing(judge):
    """An accuracy of 0 under all seeds, and a difference of an item under each: no noise is seen in either."""
    (nothing,) = judge(base=(0.0, 0.0), more=(0.0, 0.0))
    assert nothing.verdict == "not distinguishable (no difference under any seed)"
    (same,) = judge(base=(0.1, 0.3, 0.7), more=(0.2, 0.4, 0.8))
    assert same.verdict == "not distinguishable (the same difference under all seeds, which hides their noise)"
    for one in (nothing, same):
        assert (one.p, one.p_adjusted, one.low, one.high, one.more_seeds) == (1.0, 1.0, None, None, None)


def test_two_seeds_are_judged_by_one_degree_of_freedom(judge):
    (found,) = judge(base=(2.30, 2.33), more=(2.20, 2.26))
    assert (
        found.p == pytest.approx(stats.ttest_rel((2.20, 2.26), (2.30, 2.33)).pvalue) == pytest.approx(0.11, abs=0.01)
    )
    assert found.verdict == "not distinguishable (needs about 1 more seed)"


# A simulated ablation: six variants without effect and one with, whose seeds move base and variants alike.
SEEDS, NULLS, EFFECT = 5, 6, 0.012
SHARED, OWN = 0.012, 0.004
REPETITIONS = 200


@pytest.fixture(scope="module")
def simulated_verdicts(judge):
    """Those of 200 ablations with a base and seven variants, of which the last one is better."""
    generator = np.random.default_rng(20)
    values = 2.3 + generator.normal(0, SHARED, size=(REPETITIONS, 1, SEEDS))
    values = values + generator.normal(0, OWN, size=(REPETITIONS, 2 + NULLS, SEEDS))
    values[:, -1] -= EFFECT
    names = ["base", *(f"null-{number}" for number in range(NULLS)), "better"]
    return [judge(**{name: tuple(row) for name, row in zip(names, one, strict=True)}) for one in values]


def test_verdicts_of_200_simulated_ablations_are_right_at_the_stated_rate(simulated_verdicts):
    families = [found[:-1] for found in simulated_verdicts]
    false = sum(any(not one.verdict.startswith("not") for one in family) for family in families)
    bound = stats.binom.ppf(0.999, REPETITIONS, 0.05)
    assert false <= bound
    # Without the correction the same ablations fail, so this test can.
    assert sum(any(one.p < 0.05 for one in family) for family in families) > bound
    seen = sum(found[-1].verdict == "better" for found in simulated_verdicts)
    assert not any(found[-1].verdict == "worse" for found in simulated_verdicts)
    deviation = np.sqrt(2) * OWN
    # Holm tests the clearest at a seventh of the level, and at more where others went before it.
    least = power(EFFECT, deviation, SEEDS, level=0.05 / (NULLS + 1))
    most = power(EFFECT, deviation, SEEDS, level=0.05 / NULLS)
    assert stats.binom.ppf(0.001, REPETITIONS, least) <= seen <= stats.binom.ppf(0.999, REPETITIONS, most)
    assert 0.3 < least < 0.7


def test_intervals_of_simulated_ablations_hold_the_truth_at_their_rate(simulated_verdicts):
    true = [0.0] * NULLS + [-EFFECT]
    for covered in (
        [
            one.low <= truth <= one.high
            for found in simulated_verdicts
            for one, truth in zip(found, true, strict=True)
        ],
        [
            one.expected_gain.low <= -truth <= one.expected_gain.high
            for found in simulated_verdicts
            for one, truth in zip(found, true, strict=True)
        ],
    ):
        assert 0.92 < np.mean(covered) < 0.99


def test_the_expected_gain_of_the_luckiest_is_less_than_what_was_measured(simulated_verdicts):
    best = [max(found[:-1], key=lambda one: -one.difference) for found in simulated_verdicts]
    measured = np.mean([-one.difference for one in best])
    expected = np.mean([one.expected_gain.value for one in best])
    assert 0 < expected < 0.8 * measured
