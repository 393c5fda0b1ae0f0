import pytest

from smidgen.lab.ablation.trial import plan_trials
from smidgen.recipes.loading import recipe_from_dict

TEXT = """
base = "quickstart"
seeds = [2, 7]
tasks = ["built-in"]
[budget]
tokens = 40_960
scales = [1, 2.5]
[variants.deep]
design.num_layers = 5
[variants.wide]
design.intermediate_size = 416
"""


@pytest.fixture
def trials(defined):
    return plan_trials(defined(TEXT))


def test_trials_come_scale_by_scale_and_seed_by_seed_the_base_first(trials):
    assert [trial.folder_name for trial in trials] == [
        "base/seed-2",
        "deep/seed-2",
        "wide/seed-2",
        "base/seed-7",
        "deep/seed-7",
        "wide/seed-7",
        "base/x2.5-seed-2",
        "deep/x2.5-seed-2",
        "wide/x2.5-seed-2",
        "base/x2.5-seed-7",
        "deep/x2.5-seed-7",
        "wide/x2.5-seed-7",
    ]


def test_a_trials_recipe_is_ready_to_be_trained(trials):
    trial = trials[-2]
    recipe = trial.recipe
    assert (recipe.name, recipe.design.num_layers) == ("xsa/deep/x2.5-seed-7", 5)
    assert (recipe.training.seed, recipe.training.tokens) == (7, 102_400)
    assert (recipe.training.keep_checkpoints, recipe.training.keep_best) == (1, False)
    assert recipe.evaluation.tasks == ("bits-per-byte", "built-in")
    assert recipe_from_dict(recipe.as_dict(), origin="the trial") == recipe


def test_trials_of_a_pair_differ_in_what_the_variant_changes_and_in_nothing_else(trials):
    base, deep = trials[0].recipe.as_dict(), trials[1].recipe.as_dict()
    assert base["training"] == deep["training"]
    assert base["data"] == deep["data"]
    assert {key for key in base["design"] if base["design"][key] != deep["design"][key]} == {"num_layers"}
