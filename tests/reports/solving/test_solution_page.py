import html

import pytest

from smidgen.design.solving.constraints import Constraints
from smidgen.design.solving.solver import solve
from smidgen.design.solving.summary import summarise_solution
from smidgen.recipes.loading import load_recipe
from smidgen.reports.solving.landmarks import landmarks
from smidgen.reports.solving.solution_page import render, write_solution_page


@pytest.fixture(scope="module")
def result():
    return summarise_solution(solve(1_000_000, Constraints(hardware="cpu")), top=4)


def test_the_page_holds_everything_and_loads_nothing(result, tmp_path):
    page = write_solution_page(result, tmp_path / "page.html", command="smidgen solve").read_text()
    text = html.unescape(page)
    for candidate in result["candidates"]:
        assert f"{candidate['parameters']:,}" in text
    for step in result["derivation"]:
        assert step["statement"][1:] in text
    for term in result["terms"]:
        assert term["source"] in text
    assert "src=" not in page
    assert "default-src 'none'" in text
    assert page.count('class="chart design-space"') == 2
    assert page.count('class="chart budget-bar"') == len(result["candidates"])


def test_what_is_typed_is_text_on_the_page(result):
    assert "<b>" not in render(result, command="smidgen solve <b>")


def test_landmarks_are_the_published_models(result):
    found = {one.name: (one.num_layers, one.hidden_size) for one in landmarks()}
    assert set(found) == {"atom-2.7m", "atom-3.4m", "ant-5m", "gpt-s-5m", "atomixs2-5m"}
    assert found["gpt-s-5m"] == (load_recipe("gpt-s-5m").design.num_layers, 192)
