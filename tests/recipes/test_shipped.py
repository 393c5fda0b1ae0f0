"""The published recipes against their cards; a number here is a statement of a card."""

import tomllib
from importlib import resources

import pytest

from smidgen.design.parameters import count_parameters
from smidgen.recipes.keys import dotted_keys
from smidgen.recipes.loading import load_recipe, shipped_names
from smidgen.recipes.recipe import Recipe

PUBLISHED = ("ant-5m", "atom-2.7m", "atom-3.4m", "atomixs2-5m", "gpt-s-5m")


def test_the_five_systems_and_the_quickstart_are_there():
    assert {*PUBLISHED, "quickstart"} <= set(shipped_names())


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("atom-3.4m", 3_412_800),
        ("gpt-s-5m", 5_158_464),
        ("atom-2.7m", 2_738_880),
        ("atomixs2-5m", 5_983_040),
        ("ant-5m", 4_730_240),
    ],
)
def test_parameter_counts_are_right_to_the_digit(name, total):
    recipe = load_recipe(name)
    assert count_parameters(recipe.design).total == total == recipe.published.parameters


def test_counts_that_the_cards_round_are_marked():
    inexact = {name for name in PUBLISHED if not load_recipe(name).published.parameters_exact}
    assert inexact == {"atomixs2-5m", "ant-5m"}


@pytest.mark.parametrize("name", shipped_names())
def test_a_recipe_has_the_name_of_its_file(name):
    assert load_recipe(name).name == name


@pytest.mark.parametrize("name", PUBLISHED)
def test_inferred_keys_are_keys_of_the_schema(name):
    known = {*dotted_keys(Recipe)}
    for key in load_recipe(name).inferred:
        generic = key
        for source in load_recipe(name).data.sources:
            generic = generic.replace(f"sources.{source}.", "sources.NAME.")
        assert generic in known, key


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_value_is_either_in_the_file_or_marked_as_inferred(name):
    """A setting that the file leaves to a default is a value that the card does not state."""
    content = tomllib.loads(resources.files("smidgen.recipes.shipped").joinpath(f"{name}.toml").read_text("utf-8"))
    inferred = load_recipe(name).inferred
    numbers = ("optimizer", "beta1", "beta2", "weight_decay", "gradient_clip", "precision", "schedule")
    for key in (*numbers, "minimum_learning_rate", "epsilon", "seed"):
        assert key in content["training"] or f"training.{key}" in inferred, key
    for key in ("rope_theta", "rms_norm_eps", "initializer_range", "head_dim"):
        assert key in content["design"] or f"design.{key}" in inferred, key


def test_mixtures_are_those_of_the_cards():
    shares = {name: load_recipe(name).data.mean_shares() for name in PUBLISHED}
    assert shares["gpt-s-5m"] == pytest.approx({"fineweb-edu": 0.55, "cosmopedia-v2": 0.30, "fineweb-hq": 0.15})
    assert shares["atom-3.4m"] == pytest.approx(
        {
            "fineweb-edu": 0.39,
            "ultra-fineweb": 0.31,
            "finemath": 0.12,
            "cosmopedia-v2": 0.12,
            "ultradata-math": 0.06,
        }
    )
    millions = {name: share * 3500 for name, share in shares["atom-2.7m"].items()}
    assert millions == pytest.approx(
        {
            "ultra-fineweb": 900,
            "fineweb-edu": 900,
            "finemath": 450,
            "cosmopedia-v2": 337.5,
            "ultradata-math": 337.5,
            "ultra-fineweb-qa": 225,
            "arithmetic": 350,
        }
    )
    assert list(shares["atomixs2-5m"].values()) == pytest.approx([0.54, 0.22, 0.14, 0.10])


def test_the_gpt_s_5m_batch_is_its_four_micro_batches():
    training = load_recipe("gpt-s-5m").training
    assert training.batch_tokens == 4 * training.micro_batch_size * 512 == 262_144


def test_the_curriculum_of_atom_moves_from_web_to_mathematics():
    data = load_recipe("atom-3.4m").data
    early, late = data.shares_at(0.0), data.shares_at(1.0)
    assert late["ultra-fineweb"] < early["ultra-fineweb"]
    for name in ("fineweb-edu", "finemath", "cosmopedia-v2", "ultradata-math"):
        assert late[name] > early[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_sources_are_named_by_their_hub_ids(name):
    for source in load_recipe(name).data.sources.values():
        assert "/" in source.hub or source.generator == "arithmetic"
