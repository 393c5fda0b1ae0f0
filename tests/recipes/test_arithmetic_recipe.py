"""``arithmetic-2.7m`` keeps to what its comments say, and its ablation can be read."""

from pathlib import Path

import pytest

from smidgen.design.parameters import count_parameters
from smidgen.errors import BadInput
from smidgen.lab.ablation.definition import read_ablation
from smidgen.recipes.loading import load_recipe

ABLATION = Path(__file__).parents[2] / "ablations" / "arithmetic.toml"
ENGLISH = ("documentation", "grammar")


def test_it_is_no_larger_than_atom_and_says_so():
    recipe = load_recipe("arithmetic-2.7m")
    atom = count_parameters(load_recipe("atom-2.7m").design).total
    assert count_parameters(recipe.design).total <= recipe.parameter_budget == atom


def test_at_least_half_of_its_tokens_are_english():
    shares = load_recipe("arithmetic-2.7m").data.mean_shares()
    assert 0.5 <= sum(shares[name] for name in ENGLISH) < 0.52


def test_its_ablation_changes_one_means_at_a_time():
    ablation = read_ablation(ABLATION)
    assert "arithmark2-generated-free:2000" in ablation.tasks
    assert len(ablation.variants) == 17  # beside the base
    # The mixture without a curriculum is the same mixture.
    means = {one.name: one.recipe.data.mean_shares() for one in ablation.everyone}
    assert means["no-curriculum"] == pytest.approx(means["base"])


@pytest.mark.parametrize("change", ["answer_weight=2.0", "question_weight=0.5", "place_offset=9"])
def test_means_that_go_by_digit_features_need_them(change):
    load_recipe("arithmetic-2.7m", overrides=[f"training.{change}"])
    with pytest.raises(BadInput, match=rf"training\.{change} goes by digit features.*place_vocab_size=66"):
        load_recipe("quickstart", overrides=[f"training.{change}"])


def test_an_offset_leaves_places():
    load_recipe("arithmetic-2.7m", overrides=["training.place_offset=63"])
    with pytest.raises(BadInput, match="place_offset=64 leaves no place for a second digit; at most 63 works"):
        load_recipe("arithmetic-2.7m", overrides=["training.place_offset=64"])
