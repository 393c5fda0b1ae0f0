from dataclasses import replace

import pytest

from smidgen.design.flops import flops_per_token
from smidgen.design.parameters import count_parameters
from smidgen.lab.tokenizers.equal_parameters import at_equal_parameters, shares
from smidgen.recipes.loading import load_recipe


def test_what_the_vocabulary_leaves_goes_into_the_feed_forward_layers(measured, recipe):
    found = at_equal_parameters(measured["small"], recipe)
    budget = count_parameters(recipe.design).total
    assert found["embedding"] == 270 * recipe.design.hidden_size
    assert found["embedding_share"] == found["embedding"] / budget
    assert found["left"] == budget - found["embedding"]
    assert found["refused"] == ""
    assert abs(found["parameters"] - budget) < 0.01 * budget
    assert sum(found["parts"].values()) == found["parameters"]
    # GPT-S-5M has 4,096 entries, so fewer of them leave more.
    assert found["intermediate_size"] > recipe.design.intermediate_size


def test_the_model_costs_what_the_design_says(measured, recipe):
    found = at_equal_parameters(measured["large"], recipe)
    design = replace(recipe.design, vocab_size=300, intermediate_size=found["intermediate_size"])
    assert found["flops_per_token"] == flops_per_token(design)
    held = measured["large"].bytes_per_token
    assert found["flops_per_byte"]["training"] == pytest.approx(flops_per_token(design)["training"] / held)
    assert found["context_bytes"] == pytest.approx(recipe.design.context_length * held)


def test_as_many_layers_fit_as_stay_below_the_budget(measured, recipe):
    layers = at_equal_parameters(measured["small"], recipe)["num_layers_that_fit"]
    budget = count_parameters(recipe.design).total

    def total(number):
        return count_parameters(replace(recipe.design, vocab_size=270, num_layers=number)).total

    assert total(layers) <= budget < total(layers + 1)


def test_a_vocabulary_that_is_too_large_has_no_model(measured, recipe):
    narrow = {"vocab_size": 257, "hidden_size": 2, "num_layers": 1, "intermediate_size": 1}
    heads = {"num_heads": 1, "num_kv_heads": 1, "head_dim": 2}
    tiny = replace(recipe, design=replace(recipe.design, **narrow, **heads))
    found = at_equal_parameters(measured["large"], tiny)
    assert found["refused"] == f"its vocabulary alone takes 600 of {count_parameters(tiny.design).total} parameters"
    assert (found["num_layers_that_fit"], "parameters" in found) == (0, False)


def test_a_model_that_cannot_be_sized_is_refused(measured, recipe):
    # Three entries fewer leave six parameters, and the narrowest step of the one layer costs 48.
    narrow = {"vocab_size": 273, "hidden_size": 2, "num_layers": 1, "intermediate_size": 1}
    heads = {"num_heads": 1, "num_kv_heads": 1, "head_dim": 2}
    tiny = replace(recipe, design=replace(recipe.design, **narrow, **heads))
    found = at_equal_parameters(measured["small"], tiny)
    assert found["refused"] in (
        "",
        f"no width of the feed-forward layers comes near {count_parameters(tiny.design).total:,} parameters",
    )
    large = at_equal_parameters(measured["large"], replace(tiny, design=replace(tiny.design, vocab_size=310)))
    assert "no width of the feed-forward layers comes near" in large["refused"]


def test_untied_models_hold_two_tables(measured, recipe):
    untied = replace(recipe, design=replace(recipe.design, tie_embeddings=False))
    assert at_equal_parameters(measured["small"], untied)["embedding"] == 2 * 270 * recipe.design.hidden_size
    assert shares(270, untied, [192])["192"] == pytest.approx(2 * 270 * 192 / count_parameters(untied.design).total)


def test_models_with_digit_features_can_be_resized(measured):
    found = at_equal_parameters(measured["small"], load_recipe("atom-2.7m"))
    assert found["refused"] == ""
    assert found["parts"]["features"] > 0


def test_shares_are_of_the_recipes_parameters(recipe):
    found = shares(4096, recipe)
    assert list(found) == ["128", "192", "256"]
    assert found["192"] == 4096 * 192 / count_parameters(recipe.design).total
