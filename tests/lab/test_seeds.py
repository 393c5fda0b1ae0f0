import numpy as np
import pytest
from scipy import stats

from smidgen.errors import BadInput
from smidgen.lab.seeds import SeedDifference, compare_seeds

A, B = (0.30, 0.34, 0.31), (0.36, 0.39, 0.38)
ITEMS = 200


@pytest.fixture
def runs(record):
    """Runs of one recipe with given accuracies on 200 items."""

    def make(name, values):
        return [
            record(
                name,
                weights=f"{name} {seed}",
                blimp=[1.0] * round(value * ITEMS) + [0.0] * round((1 - value) * ITEMS),
            )
            for seed, value in enumerate(values)
        ]

    return make


def test_as_many_runs_on_either_side_are_paired(runs):
    found = compare_seeds(runs("alpha", A), runs("beta", B))["comparisons"][0]
    expected = stats.ttest_rel(B, A)
    low, high = expected.confidence_interval(0.95)
    assert found["p"] == pytest.approx(expected.pvalue)
    assert (found["low"], found["high"]) == (pytest.approx(low), pytest.approx(high))
    assert (found["a"], found["b"], found["n"], found["test"]) == ("alpha", "beta", ITEMS, "paired t over seeds")
    assert found["verdict"] == "better"


def test_unequal_numbers_of_runs_are_compared_by_welch(runs):
    more = (*B, 0.30, 0.42)
    found = compare_seeds(runs("alpha", A), runs("beta", more))["comparisons"][0]
    expected = stats.ttest_ind(more, A, equal_var=False)
    low, high = expected.confidence_interval(0.95)
    assert found["p"] == pytest.approx(expected.pvalue)
    assert (found["low"], found["high"]) == (pytest.approx(low), pytest.approx(high))
    assert found["verdict"].startswith("not distinguishable (needs about ")
    assert found["verdict"].endswith(" more seeds)")


@pytest.mark.parametrize("groups", [1, 2])
def test_the_seeds_needed_give_four_in_five_verdicts(groups):
    effect, deviation, fewest = 0.8, 1.0, 3
    spread = deviation if groups == 1 else deviation * np.sqrt(2)
    more = SeedDifference(
        value_a=0.0,
        value_b=effect,
        low=-1.0,
        high=2.0,
        p=0.3,
        test="made up",
        n=100,
        discordant=None,
        effect=effect,
        null_spread=spread,
        spread=spread,
        noun="more seeds",
        groups=groups,
        fewest=fewest,
    ).needed()
    generator = np.random.default_rng(31)
    b = generator.normal(effect, deviation, size=(4000, more + fewest))
    if groups == 1:
        p = stats.ttest_1samp(b, 0.0, axis=1).pvalue
    else:
        p = stats.ttest_ind(b, generator.normal(0, deviation, size=b.shape), axis=1, equal_var=False).pvalue
    assert 0.78 < np.mean(p < 0.05) < 0.86


def test_two_groups_of_one_name_stay_apart(runs):
    first = runs("alpha", (*A, *B))
    found = compare_seeds(first[:3], first[3:])["comparisons"][0]
    assert (found["a"], found["b"]) == ("alpha (first group)", "alpha (second group)")


def test_one_run_is_no_sample(runs):
    with pytest.raises(BadInput, match="3 and 1 runs given, at least 2"):
        compare_seeds(runs("alpha", A), runs("beta", B[:1]))


def test_a_run_given_twice_is_refused(runs):
    first = runs("alpha", A)
    with pytest.raises(BadInput, match="hold the same weights"):
        compare_seeds(first, [*runs("beta", B[:2]), first[0]])


def test_runs_that_do_not_differ_say_nothing_about_noise(runs):
    with pytest.raises(BadInput, match="do not differ; give runs of different seeds"):
        compare_seeds(runs("alpha", (0.25, 0.25)), runs("beta", (0.5, 0.5)))
