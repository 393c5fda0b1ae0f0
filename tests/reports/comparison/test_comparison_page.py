import html
import re
import xml.etree.ElementTree as ElementTree

import pytest

from smidgen.errors import BadInput
from smidgen.reports.comparison.comparison_page import write_comparison_page
from smidgen.reports.comparison.verdict import duels

HOSTILE = '</style><script>alert(1)</script>" onmouseover="alert(2) {{ 7 * 7 }} \x07\u202e'


@pytest.fixture
def written(tmp_path):
    def write(records, comparisons):
        return write_comparison_page(records, comparisons, tmp_path / "new" / "page.html").read_text(encoding="utf-8")

    return write


def svgs(page):
    return [ElementTree.fromstring(drawing) for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def test_every_chart_is_valid_and_stays_inside_its_frame(written, pair, compare):
    charts = svgs(written(pair, compare(*pair)))
    # Two units of differences, two tasks with parts, one chart of domains, each for desk and phone; 16 tasks that
    # are choices have one of margins and one of calibration.
    assert len(charts) == 2 * (2 + 2 + 1) + 2 * 16
    for chart in charts:
        width, height = (float(number) for number in chart.get("viewBox").split()[2:])
        for node in chart.iter():
            for key in ("x", "x1", "x2", "cx", "y", "y1", "y2", "cy"):
                if node.get(key):
                    assert -6 <= float(node.get(key)) <= (width if "x" in key else height) + 6, node.attrib


def test_the_page_needs_nothing_but_itself(written, pair, compare):
    page = written(pair, compare(*pair))
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r'(src|href)="(?!#)', page)


def test_names_are_text_whatever_they_hold(written, make_record, compare):
    pair = [make_record(HOSTILE), make_record("bee")]
    page = written(pair, compare(*pair))
    assert "alert(1)" in page
    assert "<script>alert(1)" not in page
    assert '" onmouseover="alert(2)' not in page
    assert "\x07" not in page
    assert "{{ 7 * 7 }}" in page


def test_every_difference_stands_in_words_and_numbers(written, pair, compare):
    comparisons = compare(*pair)
    comparisons[0] |= {
        "difference": -0.0421,
        "low": -0.0612,
        "high": -0.023,
        "p_adjusted": 0.0173,
        "verdict": "worse",
    }
    page = written(pair, comparisons)
    for expected in ("−4.2 (−6.1 to −2.3)", "0.017", ">worse<", "not distinguishable (needs about 4,100 items)"):
        assert expected in page


def test_where_less_is_better_the_sides_of_the_axis_are_swapped(written, pair, compare):
    charts = [chart for chart in svgs(written(pair, compare(*pair))) if "bee minus ant" in chart.find("title").text]
    left = {
        chart.find("title").text: [node.text for node in chart.iter("text") if "←" in (node.text or "")]
        for chart in charts
    }
    assert left["bee minus ant, percentage points, with 95% intervals"] == ["← ant better"]
    assert left["bee minus ant, bits per byte, with 95% intervals"] == ["← bee better"]


def test_five_models_keep_their_colours_and_are_all_compared(written, make_record, compare):
    records = [make_record(name, seed=number) for number, name in enumerate("vwxyz")]
    comparisons = [one for record in records[1:] for one in compare(records[0], record)]
    page = written(records, comparisons)
    assert "5 models compared" in page
    for number, name in enumerate("vwxyz"):
        assert f'<span class="swatch s{number + 1}"></span>{name}' in page
    assert len(re.findall(r"<li>. (is|and)", page)) == 4


def test_a_score_at_chance_is_marked(written, pair):
    pair[0]["scores"]["piqa"]["acc_norm"] |= {"value": 0.51, "low": 0.49, "high": 0.53}
    pair[1]["scores"]["piqa"]["acc_norm"] |= {"value": 0.53, "low": 0.51, "high": 0.55}
    page = written(pair, [])
    assert re.search(r'at-chance">51\.0%', page)
    assert not re.search(r'at-chance">53\.0%', page)


def test_items_that_differ_are_listed_on_both_sides_up_to_a_limit(written, pair, compare):
    page = written(pair, [one for one in compare(*pair) if one["task"] == "blimp"])
    table = page[page.index('class="items"') :]
    assert re.search(r"Only ant is right, 10 of \d\d", table)
    assert re.search(r"Only bee is right, 10 of \d\d", table)
    assert table.count('class="name"') == 20


def test_settings_and_data_that_differ_are_named_first(written, make_record, pair):
    assert "Not measured alike" not in written(pair, [])
    other = make_record("bee")
    other["settings"] = {**other["settings"], "precision": "fast"}
    other["data"]["sciq"] = {"source": "file", "files": {"sciq.jsonl": "another"}}
    page = written([pair[0], other], [])
    assert "Precision differs: exact (ant) and fast (bee)." in page
    assert "The data files differ on sciq" in page


def test_records_with_nothing_but_scores_make_a_page(written):
    bare = [
        {"model": name, "scores": {"x": {"acc": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}}}} for name in "ab"
    ]
    assert "50.0%" in written(bare, [])


def test_one_record_or_two_of_one_name_or_an_unknown_name_are_refused(written, pair, compare):
    with pytest.raises(BadInput, match="at least two"):
        written(pair[:1], [])
    with pytest.raises(BadInput, match="both called 'ant'"):
        written([pair[0], pair[0]], [])
    with pytest.raises(BadInput, match="names 'bee'"):
        written([pair[0], {**pair[1], "model": "cat"}], compare(*pair))


def test_a_duel_is_told_in_one_sentence():
    def verdict(task, word):
        return {"task": task, "metric": "acc", "a": "ant", "b": "bee", "value_a": 0.1, "value_b": 0.2,
                "difference": 0.1, "verdict": word}  # fmt: skip

    mixed = [
        verdict("x", "better"),
        verdict("y", "better"),
        verdict("z", "worse"),
        verdict("w", "not distinguishable"),
    ]
    (duel,) = duels(mixed)
    assert duel.sentence() == (
        "bee is better than ant on 2 of 4 tasks (x and y) and worse on 1 (z); on 1 they cannot be told apart."
    )
    (duel,) = duels(mixed[2:3])
    assert duel.sentence() == "bee is worse than ant on 1 of 1 task (z)."
    (duel,) = duels(mixed[3:])
    assert duel.sentence() == "bee and ant cannot be told apart on any of 1 task."
