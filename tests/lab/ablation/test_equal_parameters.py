from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.design.parameters import count_parameters
from smidgen.errors import BadInput
from smidgen.lab.ablation.equal_parameters import ADJUSTABLE, with_parameters_of
from smidgen.recipes.loading import load_recipe

BASE = load_recipe("gpt-s-5m")


def changed(**keys):
    return replace(BASE, design=replace(BASE.design, **keys))


def attempted(variant, key):
    """The recipe and its adjustment, or the words of the refusal."""
    try:
        return with_parameters_of(BASE, variant, key, variant="it")
    except BadInput as error:
        return str(error)


@given(
    layers=st.integers(3, 20),
    width=st.integers(8, 60).map(lambda count: 32 * count),
    kv_heads=st.sampled_from([1, 2, 3, 6]),
    key=st.sampled_from(ADJUSTABLE),
)
@settings(max_examples=60, deadline=None)
def test_parameters_are_equal_within_one_per_cent_or_the_refusal_says_what_comes_nearest(
    layers, width, kv_heads, key
):
    variant = changed(num_layers=layers, intermediate_size=width, num_kv_heads=kv_heads)
    wanted = count_parameters(BASE.design).total
    found = attempted(variant, key)
    if isinstance(found, str):
        assert found.startswith(f"variant it cannot have the 5,158,464 parameters of the base: nearest comes {key}=")
        return
    recipe, adjustment = found
    assert abs(count_parameters(recipe.design).total - wanted) <= 0.01 * wanted
    if adjustment is None:
        assert recipe == variant
    else:
        assert adjustment.parameters == count_parameters(recipe.design).total
        assert getattr(recipe.design, key.removeprefix("design.")) == adjustment.after != adjustment.before


@given(layers=st.integers(4, 16))
@settings(max_examples=20, deadline=None)
def test_no_other_multiple_of_32_comes_nearer(layers):
    wanted = count_parameters(BASE.design).total
    recipe, _ = with_parameters_of(BASE, changed(num_layers=layers), "design.intermediate_size", variant="it")
    found = abs(count_parameters(recipe.design).total - wanted)
    others = (replace(recipe.design, intermediate_size=32 * count) for count in range(1, 120))
    coarse = min(abs(count_parameters(other).total - wanted) for other in others)
    assert found <= coarse
    assert found == coarse or recipe.design.intermediate_size % 32


def test_a_variant_that_is_as_large_as_the_base_stays_as_it_is():
    variant = changed(rope_theta=5000.0)
    assert with_parameters_of(BASE, variant, "design.hidden_size", variant="it") == (variant, None)


def test_finer_steps_are_taken_where_32_is_too_coarse():
    """One layer of intermediate size is 3 x 192 parameters a unit: 32 of 30 layers are a tenth of this base."""
    variant = changed(num_layers=30)
    recipe, adjustment = with_parameters_of(BASE, variant, "design.intermediate_size", variant="it")
    assert adjustment.after % 32
    assert adjustment.after % 8 == 0
    assert abs(count_parameters(recipe.design).total / count_parameters(BASE.design).total - 1) < 0.01


def test_heads_that_span_the_hidden_size_grow_with_it():
    variant = changed(num_layers=2)
    recipe, _ = with_parameters_of(BASE, variant, "design.hidden_size", variant="it")
    assert recipe.design.hidden_size > BASE.design.hidden_size
    assert recipe.design.head_dim * recipe.design.num_heads == recipe.design.hidden_size


def test_a_head_size_of_its_own_stays():
    variant = changed(num_layers=2, head_dim=64)
    recipe, _ = with_parameters_of(BASE, variant, "design.hidden_size", variant="it")
    assert recipe.design.head_dim == 64
    assert recipe.design.hidden_size % recipe.design.num_heads == 0


def test_the_refusal_names_a_key_that_would_work():
    with pytest.raises(BadInput, match=r"design\.num_layers=6 with .* adjust = \"design\.\w+\" would work"):
        with_parameters_of(BASE, changed(intermediate_size=1120), "design.num_layers", variant="wide")
