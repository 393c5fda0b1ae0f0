import re
from pathlib import Path

import pytest

from smidgen.reports.ablation.course import read_courses
from smidgen.reports.ablation.curve_charts import curve_charts, other_tokens
from smidgen.reports.ablation.palette import MOST_OUTSTANDING, colours
from smidgen.reports.ablation.result import read_result

from .conftest import CASES, FEW, ONE, Change


@pytest.fixture
def charts(ablation, tmp_path):
    def make(changes, **options):
        result = read_result(ablation(changes, **options), Path("ablation.json"))
        return curve_charts(result, read_courses(result, tmp_path))

    return make


@pytest.fixture
def result_of(ablation):
    return lambda changes, **options: read_result(ablation(changes, **options), Path("ablation.json"))


def test_runs_that_ended_before_their_time_are_marked_and_only_these(charts):
    # Two panels, of a wide and a narrow drawing; two strokes a cross.
    diverged = charts({"hot": Change(states={2: "diverged", 3: "diverged"})})["whole"].chart.wide
    assert diverged.count('class="cut s1"') == 2 * 2 * 2
    assert "cut " not in charts(ONE)["whole"].chart.wide
    assert "cut " not in charts({"x": Change(states={3: "running"})})["whole"].chart.wide
    assert "cut s1" in charts({"x": Change(states=dict.fromkeys((1, 2, 3), "halved"))})["whole"].chart.wide


def test_the_difference_has_a_line_at_zero_and_says_where_it_ends(charts):
    drawn = charts({"no-xsa": Change(effect=0.0061)})["difference"].chart.wide
    assert drawn.count('class="rule"') == 2
    assert re.search(r">\+0\.00\d\d no-xsa<", drawn)


def test_a_variant_far_away_does_not_squeeze_the_others_and_is_named(charts):
    found = charts({**{f"v{n}": Change(effect=0.002 * n) for n in range(4)}, "far": Change(effect=0.4)})
    assert found["difference"].beyond == ("far",)
    assert found["last"].beyond == ("far",)


def test_training_losses_in_other_tokens_are_not_compared(charts, result_of):
    changes = {
        "bytes": Change(settings={"tokenizer.kind": "bytes"}),
        "vocab": Change(settings={"design.vocab_size": 4096}),
        "plain": Change(settings={"design.xsa": False}),
    }
    assert other_tokens(result_of(changes)) == ["bytes", "vocab"]
    drawn = charts(changes)["difference"].chart.wide
    by_panel = {name: len(re.findall(rf"[+−]\d\.\d+ {name}<", drawn)) for name in changes}
    assert by_panel == {"bytes": 1, "vocab": 1, "plain": 2}


def test_with_one_seed_there_are_lines_without_bands(charts):
    drawn = charts(ONE, seeds=(1,))
    assert "band" not in drawn["difference"].chart.wide
    assert "band s1" in charts(ONE)["difference"].chart.wide


def test_without_variants_there_is_no_difference(charts):
    assert set(charts({})) == {"last", "whole"}


def test_nothing_measured_is_no_chart(charts):
    assert charts({}, base=Change(missing=(1, 2, 3))) == {}


def test_runs_of_other_lengths_are_shown_over_their_share(charts):
    drawn = charts(ONE, budget={"equal": "seconds", "seconds": 600, "scales": [1], "sentence": "600 s each"})
    assert "share of the run" in drawn["whole"].chart.wide
    assert ">50%<" not in drawn["last"].chart.wide
    assert ">50%<" in drawn["whole"].chart.wide or ">40%<" in drawn["whole"].chart.wide


def test_a_few_variants_all_have_colours_and_of_many_the_best(result_of):
    assert list(colours(result_of(FEW))) == ["base", *FEW]
    changes, options = CASES["sweep"]
    chosen = list(colours(result_of(changes, **options)))
    assert len(chosen) == 1 + MOST_OUTSTANDING
    rates = [float(name.removeprefix("lr=")) for name in chosen[1:]]
    assert all(0.002 < rate < 0.02 for rate in rates)
