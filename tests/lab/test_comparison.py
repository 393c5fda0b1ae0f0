import numpy as np
import pytest
from scipy import stats

from smidgen.errors import BadInput
from smidgen.lab import paired
from smidgen.lab.comparison import compare_records
from smidgen.lab.holm import holm
from smidgen.lab.score_record import record_of


@pytest.fixture
def two(record, credits_of):
    a, b = credits_of(40, 5, 30, 25)
    c, d = credits_of(30, 10, 13, 20)
    return record("alpha", arc_easy=a, blimp=c), record("beta", arc_easy=b, blimp=d)


def test_later_models_are_held_against_the_first(record, two):
    third = record("gamma", blimp=[1.0] * 73)
    result = compare_records([*two, third])
    assert [(one["b"], one["a"], one["task"]) for one in result["comparisons"]] == [
        ("beta", "alpha", "arc_easy"),
        ("beta", "alpha", "blimp"),
        ("gamma", "alpha", "blimp"),
    ]


def test_all_pairs_compares_everyone_with_everyone(record, two):
    third = record("gamma", blimp=[1.0] * 73)
    found = compare_records([*two, third], all_pairs=True, tasks=["blimp"])["comparisons"]
    assert [(one["b"], one["a"]) for one in found] == [("beta", "alpha"), ("gamma", "alpha"), ("gamma", "beta")]


def test_a_comparison_states_difference_interval_and_adjusted_p(two):
    first, second = compare_records(two)["comparisons"]
    p = [stats.binomtest(30, 35).pvalue, stats.binomtest(13, 23).pvalue]
    assert [first["p"], second["p"]] == pytest.approx(p)
    assert [first["p_adjusted"], second["p_adjusted"]] == pytest.approx(holm(p))
    assert (first["metric"], first["n"], first["discordant"]) == ("acc_norm", 100, 35)
    assert first["difference"] == pytest.approx(0.25)
    assert first["low"] < 0.25 < first["high"]
    assert first["verdict"] == "better"
    assert second["verdict"].startswith("not distinguishable (needs about ")
    assert second["needed"] > 73


def test_the_other_way_round_the_verdict_turns(two):
    first = compare_records(two[::-1])["comparisons"][0]
    assert (first["verdict"], first["b"]) == ("worse", "alpha")


def test_only_items_that_both_have_are_compared_and_the_others_counted(record):
    short, long = record("alpha", limit=7, blimp=[1, 0] * 3 + [1]), record("beta", blimp=[1, 1] * 9)
    result = compare_records([short, long])
    assert result["comparisons"][0]["n"] == 7
    assert result["only_in_one"] == {"beta against alpha": {"blimp": {"alpha": 0, "beta": 11}}}
    assert result["warnings"] == [
        "blimp: the two were scored on different items; compared on the 7 items both have",
    ]


def test_other_files_are_stated(record):
    first, second = record("alpha", blimp=[1, 0, 1]), record("beta", blimp=[0, 0, 1], files={"blimp.jsonl": "f1"})
    warnings = compare_records([first, second])["warnings"]
    assert warnings == ["blimp: the two were scored on different files; compared on the 3 items both have"]


def test_items_that_share_only_a_name_are_left_out(content, record):
    other = content("beta", blimp=[1, 1, 0, 1])
    other["items"][2]["labels"] = [1, 2]
    result = compare_records([record("alpha", blimp=[1, 0, 0, 1]), record_of(other, origin="b")])
    assert result["comparisons"][0]["n"] == 3
    assert "1 items of alpha and beta share a name but not their content" in result["warnings"][0]


def test_documents_are_compared_by_the_ratio_of_sums(record):
    generator = np.random.default_rng(3)
    sizes = generator.integers(200, 900, size=40)
    a = [(float(size * 1.5), int(size), int(size // 5), int(size // 3)) for size in sizes]
    b = [(float(size * 1.4 + generator.normal(0, 9)), int(size), int(size // 5), int(size // 3)) for size in sizes]
    found = compare_records([record("alpha", wikitext=a), record("beta", wikitext=b)])["comparisons"][0]
    assert found["metric"] == "word_perplexity"
    words = sum(row[2] for row in a)
    assert found["value_a"] == pytest.approx(np.exp(sum(row[0] for row in a) / words))
    # Lower is better.
    assert (found["difference"] < 0, found["verdict"], found["test"]) == (True, "better", "paired swaps")


def test_perplexity_per_token_is_refused_across_tokenizers(record):
    rows = [(9.0, 7, 3, 4), (21.0, 11, 5, 6), (8.0, 5, 2, 3)]
    a, b = record("alpha", wikitext=rows), record("beta", tokenizer="t2", wikitext=rows)
    with pytest.raises(BadInput, match=r"tokenizers differ.*bits_per_byte can be compared"):
        compare_records([a, b], metric="token_perplexity")
    same = record("gamma", wikitext=rows)
    assert compare_records([a, same], metric="token_perplexity")["comparisons"][0]["n"] == 3


def test_a_refusal_beside_other_comparisons_is_listed(record):
    rows = [(9.0, 7, 3, 4), (21.0, 11, 5, 6)]
    a, b = record("alpha", blimp=[1, 0, 1], wikitext=rows), record("beta", blimp=[1, 1, 1], wikitext=rows[:1])
    result = compare_records([a, b])
    assert [one["task"] for one in result["comparisons"]] == ["blimp"]
    assert result["refused"][0]["reason"] == "they have 1 items in common, and at least 2 are needed"
    assert any(
        warning.startswith("wikitext, word perplexity: beta is not compared") for warning in result["warnings"]
    )


def test_another_metric_can_be_asked_for(two):
    assert {one["metric"] for one in compare_records(two, metric="acc")["comparisons"]} == {"acc"}
    with pytest.raises(BadInput, match="a task with the metric f1 in common"):
        compare_records(two, metric="f1")


def test_the_same_weights_twice_are_noticed(record):
    one, other = record("alpha", weights="w", blimp=[1, 0]), record("copy", weights="w", blimp=[1, 0])
    assert "alpha and copy have the same weights" in compare_records([one, other])["warnings"]


def test_nothing_in_common_is_said(record):
    with pytest.raises(BadInput, match="have not a task in common"):
        compare_records([record("alpha", blimp=[1, 0]), record("beta", arc_easy=[1, 0])])


def test_an_unknown_task_is_answered_with_the_nearest(two):
    with pytest.raises(BadInput, match=r"arc_eazy: none of the models was scored on it; did you mean arc_easy\?"):
        compare_records(two, tasks=["arc_eazy"])


def test_one_model_is_no_comparison(two):
    with pytest.raises(BadInput, match="two or more"):
        compare_records(two[:1])


def test_false_verdicts_stay_rare_over_many_tasks(record, monkeypatch):
    """Six tasks without any difference: at least one false verdict in at most 5% of calls."""
    monkeypatch.setattr(paired, "BOOTSTRAP_RESAMPLES", 500)
    generator = np.random.default_rng(21)
    tasks = [f"task{number}" for number in range(6)]
    false = 0
    for _ in range(150):
        chance = {task: (generator.random((2, 120)) < 0.4).astype(float).tolist() for task in tasks}
        a, b = (record(f"model{side}", **{task: chance[task][side] for task in tasks}) for side in (0, 1))
        found = compare_records([a, b])["comparisons"]
        false += any(one["p_adjusted"] < 0.05 for one in found)
    # Mean 7.5 at most; more than 14 happens once in a hundred.
    assert false <= 14
