"""``smidgen tokenizer inspect``: one tokenizer or several, ours and those of others."""

import json

import pytest

from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.training import train_tokenizer

TALES = [f"The Cat saw {number} old cats and the NASA cat of {number}\n" for number in range(40)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizers")
    train_tokenizer(TALES, TokenizerSettings(), 290).save(folder / "plain")
    train_tokenizer(TALES, TokenizerSettings(case_mapping=True), 280).save(folder / "cased")
    (folder / "tales.jsonl").write_text("".join(json.dumps({"text": tale}) + "\n" for tale in TALES))
    return folder


def test_several_are_compared_on_the_same_text(smidgen, folders):
    words = (
        "tokenizer",
        "inspect",
        folders / "plain",
        folders / "cased",
        "--text",
        f"tales={folders / 'tales.jsonl'}",
    )
    found = smidgen(*words, "--json").json
    assert [row["name"] for row in found["tokenizers"]] == ["plain", "cased"]
    assert all(row["documents"] == {"tales": 40} for row in found["tokenizers"])
    [difference] = found["comparison"]["differences"]
    assert (difference["a"], difference["b"], difference["verdict"]) == ("plain", "cased", "more tokens")
    table = smidgen(*words).out
    assert "against plain" in table
    assert "more tokens" in table


def test_the_recipe_and_widths_are_chosen(smidgen, folders):
    found = smidgen(
        "tokenizer", "inspect", folders / "plain", "--recipe", "quickstart", "--width", 64, "--width", 96, "--json"
    ).json
    assert list(found["parameter_shares"]) == ["64", "96"]
    assert found["equal_parameters"]["recipe"] == "quickstart"
    assert list(found["bytes_per_token"]) == ["grammar", "arithmetic"]


def test_a_limit_ends_the_reading_of_a_text(smidgen, folders):
    text = folders / "tales.jsonl"
    found = smidgen("tokenizer", "inspect", folders / "plain", "--text", text, "--most-bytes", 100, "--json").json
    assert found["documents"] == {"tales.jsonl": 3}


def test_a_tokenizer_of_others_stands_beside_ours(smidgen, folders, tmp_path):
    (tmp_path / "other.json").write_bytes((folders / "plain" / "tokenizer.json").read_bytes())
    found = smidgen("tokenizer", "inspect", folders / "plain", tmp_path / "other.json", "--json").json
    ours, theirs = found["tokenizers"]
    assert theirs["name"] == "other.json"
    assert theirs["bytes_per_token"] == ours["bytes_per_token"]
    assert {one["verdict"] for one in found["comparison"]["differences"]} == {"not distinguishable"}


def test_folders_of_one_name_are_told_apart(smidgen, folders, tmp_path):
    (tmp_path / "plain").symlink_to(folders / "plain")
    found = smidgen("tokenizer", "inspect", folders / "plain", tmp_path / "plain", "--json").json
    assert len({row["name"] for row in found["tokenizers"]}) == 2


def test_a_page_shows_the_sample_given(smidgen, folders, tmp_path):
    page = tmp_path / "page.html"
    outcome = smidgen("tokenizer", "inspect", folders / "cased", "--sample", "Zebra", "--html", page)
    assert f"page {page}" in outcome.out
    assert ">z</span>" in page.read_text()
    assert f"smidgen tokenizer inspect {folders / 'cased'} --sample Zebra" in page.read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no-such-folder"], "no-such-folder"),
        (["plain", "--recipe", "no-such-recipe"], "no-such-recipe"),
        (["plain", "--text", "no-such-text"], "no-such-text"),
        (["broken.json"], "is no tokenizer that the tokenizers library can read"),
        (["plain", "--width", "0"], "--width"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(smidgen, folders, words, message, monkeypatch):
    monkeypatch.chdir(folders)
    (folders / "broken.json").write_text("{")
    outcome = smidgen("tokenizer", "inspect", *words)
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err
