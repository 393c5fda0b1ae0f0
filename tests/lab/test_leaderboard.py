import pytest

from smidgen.lab.leaderboard import columns, leaderboard
from smidgen.lab.published import PublishedModel


@pytest.fixture
def three(record):
    """Two models that nothing tells apart and one that is better beyond doubt."""
    items = 90
    return [
        record("low", index=1.5, blimp=[0.0] * 60 + [1.0] * 30),
        record("alike", index=1.9, blimp=[0.0] * 59 + [1.0] * 31),
        record("high", index=7.0, blimp=[1.0] * 80 + [0.0] * (items - 80)),
    ]


def test_a_rank_is_as_wide_as_the_doubt(three):
    board = leaderboard(three, [])
    ranks = {row["model"]: row["scores"]["blimp"]["rank"] for row in board["models"]}
    assert ranks == {"high": [1, 1], "alike": [2, 3], "low": [2, 3]}


def test_the_best_index_comes_first_and_none_last(three, record):
    board = leaderboard([record("unknown", blimp=[1, 0]), *three], [])
    assert [row["model"] for row in board["models"]] == ["high", "alike", "low", "unknown"]


def test_scores_of_the_same_weights_share_a_row(record):
    new, old = record("alpha", weights="w", blimp=[1, 0, 1]), record("alpha", weights="w", blimp=[0], arc_easy=[1, 0])
    (row,) = leaderboard([new, old], [])["models"]
    assert {task: score["n"] for task, score in row["scores"].items()} == {"blimp": 3, "arc_easy": 2}
    assert row["scores"]["arc_easy"]["rank"] == [1, 1]


def test_in_perplexity_the_lower_wins(record):
    documents = [(float(size * 2), size, size // 4, size // 3) for size in range(200, 260, 3)]
    better = [(nats * 0.9, *rest) for nats, *rest in documents]
    board = leaderboard([record("worse", wikitext=documents), record("better", wikitext=better)], [])
    assert {row["model"]: row["scores"]["wikitext"]["rank"] for row in board["models"]} == {
        "better": [1, 1],
        "worse": [2, 2],
    }


def test_references_are_listed_as_self_reported(three):
    reference = PublishedModel(
        name="other",
        org="org",
        parameters=5,
        tokens=None,
        sources=("a card",),
        scores={"blimp": {"acc": 0.7}},
    )
    (row,) = leaderboard(three, [reference])["references"]
    assert (row["model"], row["kind"], row["sources"]) == ("other", "self-reported", ["a card"])


def test_columns_begin_with_what_most_models_have(three, record):
    board = leaderboard([record("solo", arc_easy=[1, 0]), *three], [])
    assert [(task, metric.name) for task, metric in columns(board)] == [("blimp", "acc"), ("arc_easy", "acc_norm")]


def test_tasks_that_only_references_have_are_shown_where_two_can_be_compared(three):
    def reference(name, *tasks):
        scores = {task: {"acc": 0.5} for task in tasks}
        return PublishedModel(name=name, org="", parameters=None, tokens=None, sources=("x",), scores=scores)

    board = leaderboard(three, [reference("one", "piqa", "copa"), reference("two", "piqa", "blimp")])
    assert [task for task, _ in columns(board)] == ["blimp", "piqa"]


def test_an_empty_registry_makes_an_empty_board():
    assert leaderboard([], []) == {"models": [], "references": []}
