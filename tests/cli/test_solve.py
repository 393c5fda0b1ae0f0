"""``smidgen solve`` from the command line."""

import json
import re

import pytest

from smidgen.cli.counts import count_from
from smidgen.design.parameters import count_parameters
from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe

KEYS = {
    "vocab_size",
    "hidden_size",
    "num_layers",
    "num_heads",
    "num_kv_heads",
    "head_dim",
    "intermediate_size",
    "parameters",
    "score",
    "why",
}


def assert_refused(outcome, phrase):
    assert outcome.code == 2
    assert outcome.out == ""
    assert phrase in outcome.err
    assert outcome.err.count("\n") == 1


def test_candidates_terms_and_constraints_are_one_json_object(smidgen):
    found = smidgen("solve", "--parameters", "1M", "--context", "256", "--top", "3", "--json").json
    assert len(found["candidates"]) == 3
    assert all(candidate.keys() >= KEYS for candidate in found["candidates"])
    assert all(990_000 <= candidate["parameters"] <= 1_000_000 for candidate in found["candidates"])
    assert found["constraints"]["context_length"] == 256
    assert found["considered"] > 1000
    assert {"code", "name", "cost", "source", "strength"} == set(found["terms"][0])
    scores = [candidate["score"] for candidate in found["candidates"]]
    assert scores == sorted(scores)


def test_the_same_command_says_the_same(smidgen):
    words = ("solve", "--parameters", "700k", "--vocab-size", "1500", "--json")
    assert smidgen(*words).out == smidgen(*words).out


def test_people_read_the_derivation_the_score_and_the_design_space(smidgen):
    out = smidgen("solve", "--parameters", "5M", "--hardware", "cpu").out
    best = smidgen("solve", "--parameters", "5M", "--json").json["candidates"][0]
    assert out.startswith(f"{best['parameters']:,} of 5,000,000 parameters")
    for words in ("arXiv:2407.13623", "head size", "hypothesis", "tokens/s", "gpt-s-5m (5.16M)", "◆", "━"):
        assert words in out
    # Each published model stands in the plot once, by its number.
    plot = out[out.index("width  the best") : out.index("published,")]
    assert all(plot.count(f"{number}") for number in range(1, 6))


def test_a_written_recipe_loads_and_is_the_best_shape(smidgen, tmp_path):
    path = tmp_path / "My Model.toml"
    words = ("solve", "--parameters", "800k", "--context", "1000", "--xsa", "--tokens", "5M")
    best = smidgen(*words, "--json", "--write", path).json["candidates"][0]
    recipe = load_recipe(str(path))
    assert recipe.name == "my-model"
    assert count_parameters(recipe.design).total == best["parameters"]
    assert recipe.design.xsa
    assert recipe.design.context_length == 1000
    assert recipe.training.tokens == 5_000_000
    assert recipe.training.batch_tokens % 1000 == 0
    assert f"# Command  smidgen {' '.join(words)}" in path.read_text()
    assert_refused(smidgen(*words, "--write", path), "exists already")
    assert_refused(smidgen(*words, "--write", tmp_path / "recipe.json"), "must end in .toml")


@pytest.mark.parametrize("tokens", ["1000", "60k", "25B"])
def test_recipes_for_any_number_of_tokens_load(smidgen, tmp_path, tokens):
    path = tmp_path / "some.toml"
    assert smidgen("solve", "--parameters", "300k", "--tokens", tokens, "--json", "--write", path).code == 0
    assert load_recipe(str(path)).training.tokens >= 1000


def test_a_page_is_written_beside_the_json(smidgen, tmp_path):
    page = tmp_path / "page.html"
    json.loads(smidgen("solve", "--parameters", "1M", "--json", "--out", page).out)
    assert page.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5M", 5_000_000),
        ("4.9e6", 4_900_000),
        ("5_000_000", 5_000_000),
        ("5,158,464", 5_158_464),
        ("25B", 25 * 10**9),
    ],
)
def test_counts_are_read_as_people_write_them(text, number):
    assert count_from(text, option="--parameters") == number


@pytest.mark.parametrize("text", ["", "five", "5X", "-5M", "0", "nan", "1e99", "5 M M", "1e18"])
def test_other_texts_are_no_counts(text):
    with pytest.raises(BadInput, match=re.escape("must be a positive number such as 5M, 4.9e6 or 5_000_000")):
        count_from(text, option="--parameters")


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["--parameters", "lots"], "--parameters lots must be a positive number"),
        (["--parameters", "5"], "--parameters 5 is out of range"),
        (["--parameters", "5M", "--vocab-size", "-3"], "--vocab-size -3 must be 257"),
        (
            ["--parameters", "5M", "--vocab-size", "400000"],
            "parameters with a vocabulary of 400,000",
        ),
        (["--parameters", "5M", "--kv-bytes", "10k"], "--kv-bytes"),
        (["--parameters", "5M", "--hardware", "abacus"], "known are cpu"),
        (["--parameters", "5M", "--tokens-per-second", "1k"], "needs --hardware"),
        (["--parameters", "5M", "--gguf", "--xsa"], "exclude each other"),
    ],
)
def test_bad_input_gets_one_sentence(smidgen, words, phrase):
    assert_refused(smidgen("solve", *words, "--json"), phrase)
