from dataclasses import replace
from pathlib import Path

import pytest

from smidgen.lab.ablation.noise_floor import NoiseFloor
from smidgen.lab.ablation.noise_record import keep_noise, known_noise, noise_file
from smidgen.recipes.loading import load_recipe

RECIPE = load_recipe("quickstart")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "noise" / "quickstart.noise.json"


def floor(task="bits-per-byte", tokens=4_000, seeds=3, deviation=0.004):
    return NoiseFloor(
        task=task, metric="acc", standard_deviation=deviation, low=0.002, high=0.03, seeds=seeds, tokens=tokens
    )


def trained(**keys):
    return replace(RECIPE, training=replace(RECIPE.training, **keys))


def test_noise_lies_beside_a_recipe_of_ones_own_and_in_a_folder_for_a_shipped_one(tmp_path):
    assert noise_file("/home/me/mine.toml", tmp_path) == Path("/home/me/mine.noise.json")
    assert noise_file("gpt-s-5m", tmp_path) == tmp_path / "gpt-s-5m.noise.json"


def test_noise_is_known_whatever_the_seed_and_length(file):
    keep_noise(file, trained(seed=5, tokens=40_960), [floor(), floor("piqa")])
    assert known_noise(file, trained(seed=7, tokens=81_920), 4_000) == [floor(), floor("piqa")]


def test_noise_of_another_recipe_is_unknown(file):
    keep_noise(file, RECIPE, [floor()])
    assert known_noise(file, trained(peak_learning_rate=1e-3), 4_000) == []


def test_the_nearest_length_is_taken_and_tells_which_it_is(file):
    keep_noise(file, RECIPE, [floor(tokens=1_000), floor(tokens=10_000), floor("piqa", tokens=100)])
    assert {(one.task, one.tokens) for one in known_noise(file, RECIPE, 4_000)} == {
        ("bits-per-byte", 10_000),
        ("piqa", 100),
    }


def test_a_floor_of_fewer_seeds_does_not_replace_one_of_more(file):
    keep_noise(file, RECIPE, [floor(seeds=5, deviation=0.5)])
    keep_noise(file, RECIPE, [floor(seeds=3, deviation=0.3), floor("piqa")])
    assert [one.standard_deviation for one in known_noise(file, RECIPE, 4_000)] == [0.5, 0.004]
    keep_noise(file, RECIPE, [floor(seeds=5, deviation=0.7)])
    assert known_noise(file, RECIPE, 4_000)[0].standard_deviation == 0.7


@pytest.mark.parametrize("content", ["", "[]", "{", '{"noise": [3, {"recipe": "x"}]}', '{"noise": 7}'])
def test_a_damaged_file_is_none(file, content):
    file.parent.mkdir()
    file.write_text(content)
    assert known_noise(file, RECIPE, 4_000) == []
    keep_noise(file, RECIPE, [floor()])
    assert known_noise(file, RECIPE, 4_000) == [floor()]
