import pytest

from smidgen.errors import BadInput
from smidgen.lab.leaderboard_row import COLUMNS, leaderboard_row
from smidgen.lab.score_record import record_of


@pytest.fixture
def whole(content):
    """A record of all six tasks, whole as far as it says."""

    def make(*, without=(), **settings):
        made = content("alpha", blimp=[1, 0], **settings)
        for place, column in enumerate(COLUMNS):
            if column.task not in without:
                score = {"value": 0.25 + place / 300, "low": 0.2, "high": 0.4, "n": column.items}
                made["scores"][column.task] = {"acc": {**score, "value": 0.9}, column.metric: score}
        return made

    return make


def test_a_row_has_the_leaderboards_fields_in_percent(whole):
    row, missing = leaderboard_row(record_of(whole(), origin="x"), org="us", card="https://example.org/alpha")
    assert row == {
        "name": "alpha",
        "org": "us",
        "params": 1_234_567,
        "paramsDisplay": "1.23M",
        "arc": 25.0,
        "hellaswag": 25.33,
        "piqa": 25.67,
        "arcChall": 26.0,
        "arithmark3": 26.33,
        "arithmark2": 26.67,
        "links": {"card": "https://example.org/alpha"},
    }
    assert missing == []


def test_what_is_missing_is_listed(whole):
    row, missing = leaderboard_row(record_of(whole(without=("piqa",)), origin="x"))
    assert row["piqa"] is None
    assert missing == ["piqa: piqa was not scored", "org: give --org", "card: give --card"]


def test_generated_arithmetic_does_not_pass_for_the_official_file(whole):
    made = whole(without=("arithmark2",))
    made["scores"]["arithmark2-generated"] = {"acc": {"value": 0.9, "n": 2500}}
    row, missing = leaderboard_row(record_of(made, origin="x"), org="us", card="c")
    assert row["arithmark2"] is None
    assert "only arithmark2-generated was scored" in missing[0]


def test_a_limited_record_is_refused(whole):
    with pytest.raises(BadInput, match="the leaderboard takes whole tasks"):
        leaderboard_row(record_of(whole(limit=5000), origin="x"))


def test_a_task_scored_in_part_is_refused_whatever_the_settings_say(whole):
    made = whole()
    made["scores"]["hellaswag"]["acc_norm"]["n"] = 1000
    with pytest.raises(BadInput, match="hellaswag was scored on 1,000 of 10,042 items"):
        leaderboard_row(record_of(made, origin="x"))


def test_a_record_without_any_of_the_tasks_is_refused(record):
    with pytest.raises(BadInput, match="--tasks open-slm"):
        leaderboard_row(record("alpha", blimp=[1, 0]))
