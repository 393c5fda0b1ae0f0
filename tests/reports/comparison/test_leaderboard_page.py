import html
import re

import pytest

from smidgen.errors import BadInput
from smidgen.reports.comparison.leaderboard_page import write_leaderboard_page


@pytest.fixture
def written(tmp_path):
    return lambda rows: write_leaderboard_page(rows, tmp_path / "board.html").read_text(encoding="utf-8")


@pytest.fixture
def rows(make_record, make_row):
    ant, bee = make_record("ant"), make_record("bee", skill=0.1, seed=1)
    reported = {"arc_easy": {"acc_norm": {"value": 0.99}}}
    return [
        make_row(ant, [2, 3]),
        make_row(bee, [1, 1]),
        make_row(ant, None, name="elsewhere", source="self-reported", scores=reported, index=99.0, when=None),
    ]


def names(page):
    return re.findall(r'<span class="who">(.*?)</span>', page)


def test_models_stand_in_the_order_of_their_ranks_and_self_reported_ones_apart(written, rows):
    page = written(rows)
    # The best numbers of all are self-reported, and still come after everything measured.
    assert names(page) == ["bee", "ant", "elsewhere"]
    measured, reported = page.split("Self-reported by their makers: not measured here, not ranked")
    assert "self-reported</span>" not in measured[measured.index("<tbody>") :]
    assert reported.index("self-reported</span>") < reported.index("</tbody>")


def test_a_rank_is_a_range_and_intervals_are_written(written, rows):
    page = written(rows)
    assert ">2–3<" in page
    assert ">1<" in page
    score = rows[0]["scores"]["piqa"]["acc_norm"]
    assert f"{100 * score['low']:.1f} to {100 * score['high']:.1f}" in page


def test_reported_models_are_hollow_and_come_last_in_each_chart(written, rows):
    page = written(rows)
    chart = next(drawing for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL) if "arc_easy" in drawing)
    places = [chart.index(f">{label}<") for label in ("bee", "ant", "Self-reported", "elsewhere")]
    assert places == sorted(places)
    assert chart.count("estimate hollow other") == 1


def test_missing_values_are_dashes_and_sort_last(written, rows):
    rows[0] |= {"index": None, "rank": None, "precision": None}
    page = written(rows)
    assert re.search(r'data-value="">–<', page)


def test_the_page_runs_only_its_own_script_and_loads_nothing(written, rows):
    page = written([{**rows[0], "name": "<script>alert(1)</script>"}])
    assert "<script>alert(1)" not in page
    assert page.count("<script>") == 1
    assert "script-src 'sha256-" in html.unescape(page)


def test_a_leaderboard_of_reported_models_alone_says_so(written, rows):
    assert "0 models measured here, 1 as reported by others" in written(rows[2:])


def test_an_empty_leaderboard_is_refused(written):
    with pytest.raises(BadInput, match="at least one model"):
        written([])
