"""What a model card takes from the studies beside a run: samplers, the ladder, and models of about its size."""

import re

import pytest
from markdown_it import MarkdownIt

from smidgen.errors import BadInput
from smidgen.records import atomic
from smidgen.reports import page
from smidgen.reports.card import render
from smidgen.reports.peers import MOST_PEERS, peer_table
from smidgen.reports.run_records import read_run

from .studies import ladder, sampler_study


@pytest.fixture
def studied(full_run):
    atomic.write_json(full_run.samplers / "samplers.json", sampler_study())
    atomic.write_json(full_run.exports / "gguf" / "ladder.json", ladder())
    return full_run


def card_of(run):
    return render(read_run(run), ("parameters.png",))


def section(card, name):
    return re.search(rf"\n## {name}\n(.*?)(?=\n## |\Z)", card, re.DOTALL)[1]


def test_the_study_of_samplers_stands_in_the_card_with_its_rule(studied):
    found = section(card_of(studied), "Sampling")
    assert "Recommended: temperature 0.5, penalty 1.2. The stated rule. Here 2 of 3 settings remain." in found
    rows = [line for line in found.splitlines() if line.startswith("|")]
    assert rows[2].startswith("| temperature 0.5, penalty 1.2 (recommended) | 0.0% (0.0 to 0.0) | 2.0%")
    assert rows[3].startswith("| real text | 0.0%")
    assert rows[4].startswith("| temperature 0.8, top p 0.95, no 4-gram twice (advice of gpt-s-5m) |")
    assert rows[5].startswith("| greedy (advice of recipe) | 10.0% (9.0 to 11.0) | – |")


def test_the_ladder_stands_in_the_card_in_words(studied):
    found = section(card_of(studied), "GGUF files, measured")
    assert "| quickstart-Q4\\_0.gguf | 4.90 |" in found
    assert "worse: perplexity +8.33% |" in found
    assert "Against F32, by a stated rule." in found
    assert "- Not written: Q6\\_K: rows are no multiples of 256" in found


def test_every_table_is_read_as_a_table(studied, edit):
    html = MarkdownIt("commonmark").enable("table").render(card_of(studied).partition("\n---\n")[2])
    assert html.count("<table>") == sum(
        bool(re.fullmatch(r"\|[-:|]+\|", line)) for line in card_of(studied).splitlines()
    )
    assert "|---" not in html


def test_without_studies_the_card_has_no_such_sections(full_run):
    card = card_of(full_run)
    assert "\n## Sampling\n" not in card
    assert "GGUF files" not in card


def test_a_study_that_was_stopped_is_not_reported(studied, edit):
    edit(studied.samplers / "samplers.json", lambda stored: stored.update(finished=False))
    assert read_run(studied).samplers is None


@pytest.mark.parametrize("name", ["samplers/samplers.json", "exports/gguf/ladder.json"])
@pytest.mark.parametrize("damage", ["{", '{"finished": true, "rungs": 3, "recommended": []}'])
def test_a_damaged_study_is_named(studied, name, damage):
    (studied.path / name).write_text(damage)
    with pytest.raises(BadInput, match=name.rpartition("/")[2]):
        read_run(studied)


def test_texts_of_a_study_are_no_markup(studied, edit):
    def change(stored):
        stored["recommended"]["why"] = "<script>alert(1)</script> | [x](y)"
        stored["settings"][0]["names"] = ["<b>|"]

    edit(studied.samplers / "samplers.json", change)
    card = card_of(studied)
    assert "<script>" not in card
    assert "<b>" not in card


def test_the_page_names_what_is_recommended_and_leads_to_the_study(studied):
    html = page.render(read_run(studied))
    assert "Recommended: temperature 0.5, penalty 1.2." in html
    assert 'href="../samplers/index.html"' in html


def test_hashes_of_the_exported_files_and_the_budget_picture_are_in_the_card(full_run):
    card = card_of(full_run)
    export = next(one for one in read_run(full_run).exports if one.format == "hf")
    for file in export.files:
        assert file.sha256 in card
    assert "![Where the parameters are](parameters.png)" in card


def test_models_of_about_the_size_stand_beside_the_run_marked_as_self_reported(benchmarked):
    found = peer_table(read_run(benchmarked))
    assert 0 < len(found.peers) <= MOST_PEERS
    assert found.peers[0] == "Atom2.7m, 2.74M"
    arc = next(row for row in found.rows if row[0] == "arc_easy, acc_norm")
    assert arc[1] == "33.1% (30.1 to 36.1)"
    assert arc[2][0] == "31.61%"
    card = card_of(benchmarked)
    assert "| Atom2.7m, 2.74M (self-reported) |" in card
    assert "https" not in section(card, "Scores").partition("### Beside")[2].replace("https\\:", "")


def test_the_model_that_a_recipe_copies_and_models_of_another_size_are_no_peers(benchmarked, edit):
    found = peer_table(read_run(benchmarked))
    assert not [peer for peer in found.peers if "SmolLM" in peer or "GPT-S-5M" in peer]

    def large(stored):
        stored["parameters"]["total"] = 5_100_000

    edit(benchmarked.design, large)
    assert [peer for peer in peer_table(read_run(benchmarked)).peers if "GPT-S-5M" in peer]


def test_a_run_that_shares_no_task_with_anybody_has_no_peers(full_run):
    assert peer_table(read_run(full_run)) is None
