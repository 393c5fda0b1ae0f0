import pytest

from smidgen.export.gguf.damage import RULE, verdict


def score(value, low=None, high=None):
    return {
        "value": value,
        "low": value - 0.01 if low is None else low,
        "high": value + 0.01 if high is None else high,
    }


def rung(higher=0.0, top1=1.0, words=0.95, greedy=0.3, sampled=0.1):
    return {
        "perplexity_change": score(higher),
        "top1": score(top1),
        "real_words": None if words is None else score(words),
        "loops": {"greedy": score(greedy), "sampled": score(sampled)},
    }


@pytest.mark.parametrize(
    ("changed", "expected", "why"),
    [
        ({}, "as good", "perplexity unchanged, the same top token at 100.0% of the positions"),
        ({"higher": 0.009}, "as good", "perplexity +0.90%, the same top token at 100.0% of the positions"),
        ({"higher": 0.01}, "slightly worse", "perplexity +1.00%"),
        ({"top1": 0.969}, "slightly worse", "the same top token at 96.9% of the positions"),
        ({"higher": 0.05, "top1": 0.9}, "worse", "perplexity +5.00%"),
        ({"words": 0.92}, "worse", "3.0 points fewer real words"),
        ({"words": 0.94}, "as good", "perplexity unchanged, the same top token at 100.0% of the positions"),
        ({"greedy": 0.4}, "worse", "10 points more greedy texts that loop"),
        ({"higher": 0.5}, "scrambled", "perplexity +50.00%"),
        ({"words": 0.89}, "scrambled", "6.0 points fewer real words"),
        ({"sampled": 0.35, "greedy": 0.4}, "scrambled", "25 points more sampled texts that loop"),
        ({"words": None}, "as good", "perplexity unchanged, the same top token at 100.0% of the positions"),
    ],
)
def test_words_follow_the_rule(changed, expected, why):
    assert verdict(rung(**changed), rung()) == {"verdict": expected, "why": why}
    assert expected in RULE.lower()


def test_a_change_inside_the_intervals_decides_nothing():
    vague = {**rung(words=0.8), "real_words": score(0.8, low=0.6, high=0.97)}
    assert verdict(vague, rung())["verdict"] == "as good"


def test_a_task_that_is_clearly_lower_makes_it_worse():
    comparisons = [
        {"task": "blimp", "verdict": "worse"},
        {"task": "piqa", "verdict": "not distinguishable (needs 9)"},
    ]
    assert verdict(rung(), rung(), comparisons) == {"verdict": "worse", "why": "lower in blimp"}
