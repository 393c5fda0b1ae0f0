import copy
import html
import re
import xml.etree.ElementTree as ElementTree

import pytest

from smidgen.errors import BadInput
from smidgen.reports.ablation.ablation_page import write_ablation_page

from .conftest import CASES, FEW, ONE, Change

HOSTILE = '</style><script>alert(1)</script>" onmouseover="alert(2) {{ 7 * 7 }} \x07\u202e'


@pytest.fixture
def written(ablation, tmp_path):
    def write(changes, **options):
        return write_ablation_page(ablation(changes, **options), tmp_path).read_text(encoding="utf-8")

    return write


def drawings(page):
    found = re.findall(r'<div class="(?:wide|narrow)">(<svg.*?</svg>)</div>', page, re.DOTALL)
    return [ElementTree.fromstring(drawing) for drawing in found]


def shown(node):
    """All elements but those of a drawing within the drawing, which is cut off at its edges."""
    for child in node:
        yield child
        if not child.tag.endswith("svg"):
            yield from shown(child)


def titles(page):
    return list(dict.fromkeys(drawing.find("title").text for drawing in drawings(page)))


@pytest.mark.parametrize("case", CASES)
def test_every_chart_of_every_kind_of_result_stays_inside_its_frame(written, case):
    changes, options = CASES[case]
    charts = drawings(written(changes, **options))
    assert len(charts) >= 6
    for chart in charts:
        assert not re.search(r"\b(nan|inf)\b", ElementTree.tostring(chart, encoding="unicode"))
        width, height = (float(number) for number in chart.get("viewBox").split()[2:])
        for node in shown(chart):
            for key in ("x", "x1", "x2", "cx", "y", "y1", "y2", "cy"):
                if node.get(key):
                    assert -6 <= float(node.get(key)) <= (width if "x" in key else height) + 6, (case, node.attrib)


def test_the_page_needs_nothing_but_itself(written):
    page = written(FEW)
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r'(src|href)="(?!#)', page)
    assert " style=" not in page


def test_the_answer_comes_before_all_charts(written):
    page = written(ONE)
    summary = re.search(r'<p class="summary">(.*?)</p>', page).group(1)
    assert re.match(r"no-xsa is worse by 0\.00\d\d bits per byte \(0\.00\d\d to 0\.00\d\d\), 3 seeds", summary)
    assert page.index("Held equal: 4,000,000 tokens each") < page.index("<svg")
    assert "Realised: 3,997,696 tokens" in page


def test_all_parts_of_a_finished_ablation_are_there(written):
    page = written(FEW, warnings=["hot diverged under two seeds"])
    assert titles(page) == [
        "Bits per byte: differences to the base in bits per byte, 95% intervals",
        "Minimal pairs: differences to the base in points, 95% intervals",
        "Arithmark2 generated: differences to the base in points, 95% intervals",
        "Difference to the base over training, seed by seed",
        "Held-out bits per byte and training loss over the last third of training",
        "Held-out bits per byte and training loss over training",
    ]
    for expected in (
        "hot diverged under two seeds",
        "training.peak_learning_rate = 0.024",
        "1 of 3",
        "trials/hot/seed-2",
        "step 45: the loss is 9.812",
        ">8 seeds</th>",
        "smidgen ablate",
        "[variants.no-xsa]",
        "3f3f3f",
    ):
        assert expected in page, expected


def test_names_are_text_whatever_they_hold(ablation, tmp_path):
    result = copy.deepcopy(ablation(ONE))
    text = result | {"question": HOSTILE, "base": HOSTILE, "warnings": [HOSTILE], "fingerprint": HOSTILE}
    text["variants"][1]["settings"] = {HOSTILE: HOSTILE}
    for verdict in text["verdicts"]:
        verdict["variant"] = HOSTILE
    text["variants"][1]["name"] = HOSTILE
    page = write_ablation_page(text, tmp_path).read_text(encoding="utf-8")
    assert "alert(1)" in page
    assert "<script>alert(1)" not in page
    assert '" onmouseover="alert(2)' not in page
    assert "\x07" not in page
    assert "{{ 7 * 7 }}" in page


def test_an_unfinished_ablation_says_so_and_shows_what_there_is(written):
    changes, options = CASES["unfinished"]
    page = written(changes, **options)
    assert "6 of 12 trials have ended" in page
    assert "late</strong> has no verdict: not enough seeds (0 of 3)" in page
    assert "1 running" in page
    assert "Not finished" not in written(ONE)


def test_before_any_trial_has_ended_there_is_a_page_too(written):
    page = written({"wide": Change(missing=(1, 2, 3))}, base=Change(missing=(1, 2, 3)))
    assert "0 of 6" in page
    assert drawings(page) == []


def test_without_variants_the_noise_comes_first(written):
    changes, options = CASES["floor"]
    page = written(changes, **options)
    assert "5 seeds of gpt-s-5m differ by 0.00" in page
    assert page.index('id="noise"') < page.index('id="training"')
    assert 'id="differences"' not in page
    assert titles(page)[0] == "Bits per byte of every seed, their mean and its 95% interval"


def test_thirty_variants_are_grouped_by_verdict_and_told_behind_a_fold(written):
    changes, options = CASES["sweep"]
    page = written(changes, **options)
    assert "22 more variants" in page
    headings = [node.text for node in drawings(page)[0].iter("text") if node.get("class") == "heading"]
    assert [re.sub(r"\d+", "N", heading) for heading in headings] == [
        "Not distinguishable from the base (N)",
        "Worse than the base (N)",
        "Diverged (N)",
    ]
    assert "other variants" in page
    assert len(page) < 2_500_000


def test_scales_are_drawn_and_whether_the_difference_holds_is_said(written):
    changes, options = CASES["scales"]
    page = written(changes, **options)
    assert "Bits per byte: difference to the base by budget" in titles(page)
    assert "no-xsa: the difference holds" in page
    assert "4×, 16M" in page
    assert "Shown are the trials of 1× the budget" in page


def test_a_base_that_diverged_is_told_at_once(written):
    changes, options = CASES["base-diverged"]
    summary = re.search(r'<p class="summary">(.*?)</p>', written(changes, **options)).group(1)
    assert summary.endswith("The base itself diverged or failed with 1 of its 3 seeds.")


def test_versions_and_the_machine_come_from_a_trial(written, tmp_path):
    manifest = tmp_path / "trials" / "base" / "seed-1" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"versions": {"torch": "2.13.0"}, "hardware": {"cores": 2, "processor": "Xeon"}}')
    page = written(ONE)
    assert "2.13.0" in page
    assert "Made on 2 CPU cores, Xeon" in page


def test_a_damaged_result_is_named(ablation, tmp_path):
    result = ablation(ONE)
    del result["verdicts"]
    with pytest.raises(BadInput, match=r"ablation\.json is damaged or of another version \(it has no 'verdicts'\)"):
        write_ablation_page(result, tmp_path)
