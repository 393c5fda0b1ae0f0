import pytest

from smidgen.lab.difference import Difference, level_after, normal_quantile, verdict


@pytest.fixture
def made():
    def make(a, b, *, p=0.5, spread=0.4, noun="items"):
        return Difference(
            value_a=a,
            value_b=b,
            low=b - a - 0.1,
            high=b - a + 0.1,
            p=p,
            test="made up",
            n=100,
            discordant=16,
            effect=b - a,
            null_spread=spread,
            spread=spread,
            noun=noun,
        )

    return make


@pytest.mark.parametrize(
    ("a", "b", "lower_is_better", "word"),
    [(0.3, 0.4, False, "better"), (0.4, 0.3, False, "worse"), (0.3, 0.4, True, "worse"), (0.4, 0.3, True, "better")],
)
def test_the_verdict_says_how_b_does_and_knows_which_way_is_better(made, a, b, lower_is_better, word):
    assert verdict(made(a, b, p=0.01), p_adjusted=0.04, lower_is_better=lower_is_better) == word


def test_the_adjusted_p_decides(made):
    found = made(0.3, 0.4, p=0.02)
    assert verdict(found, p_adjusted=0.02, lower_is_better=False) == "better"
    assert verdict(found, p_adjusted=0.06, lower_is_better=False).startswith("not distinguishable")


def test_an_undecided_verdict_says_how_many_items_would_do(made):
    # ((1.95996 + 0.84162) x 0.4 / 0.03)^2 = 1395.3, in two digits 1,400.
    words = verdict(made(0.30, 0.33), p_adjusted=0.5, lower_is_better=False)
    assert words == "not distinguishable (needs about 1,400 items)"
    # Three comparisons leave each a level of 0.05 / 3 with z = 2.39398: ((2.39398 + 0.84162) x 0.4 / 0.03)^2 = 1861.
    stricter = verdict(made(0.30, 0.33, p=0.2), p_adjusted=0.6, lower_is_better=False)
    assert stricter == "not distinguishable (needs about 1,900 items)"


def test_documents_are_called_documents(made):
    assert "about 1,400 documents" in verdict(made(1.5, 1.47, noun="documents"), p_adjusted=0.5, lower_is_better=True)


@pytest.mark.parametrize("b", [0.3, 0.3 + 1e-6])
def test_no_difference_or_a_tiny_one_needs_more_than_a_million_items(made, b):
    words = verdict(made(0.3, b), p_adjusted=1.0, lower_is_better=False)
    assert words == "not distinguishable (needs more than 1,000,000 items)"


def test_the_level_left_is_the_corrections_share():
    assert level_after(0.01, 0.04) == pytest.approx(0.0125)
    assert normal_quantile(0.05) == pytest.approx(1.959964)
