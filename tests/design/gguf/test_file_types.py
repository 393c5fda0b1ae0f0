"""Mixtures of types. They were compared with llama.cpp's own function, compiled: 5,184 combinations of file type,
depth, width, heads, tied head and importance gave no other type (November 2026).
"""

import pytest

from smidgen.design.gguf.blocks import ALIGNMENT, BLOCKS, aligned, bytes_of, fitting
from smidgen.design.gguf.file_types import FILE_TYPES, bytes_of_tensors, plan_file, why_undeserved
from smidgen.design.gguf.names import gguf_name, layer_and_part, our_name
from smidgen.design.shape import shape_of
from smidgen.design.tensors import tensors_of
from smidgen.model.config import ModelConfig


def shape(**changes):
    sizes = {
        "vocab_size": 300,
        "hidden_size": 512,
        "num_layers": 11,
        "num_heads": 8,
        "num_kv_heads": 4,
        "intermediate_size": 1024,
        "context_length": 16,
    }
    return shape_of(ModelConfig(**{**sizes, **changes}))


def kinds(name, part, **options):
    has_importance = options.pop("has_importance", False)
    plans = plan_file(shape(**options), name, has_importance=has_importance)
    return [plan.kind for plan in plans if layer_and_part(plan.name)[1] == part]


def test_names_go_there_and_back():
    names = [name for tensor in tensors_of(shape(tie_embeddings=False, mlp_bias=True)) for name in tensor.names]
    assert [our_name(gguf_name(name)) for name in names] == names
    assert len({gguf_name(name) for name in names}) == len(names)
    assert gguf_name("layers.3.mlp.up_proj.weight") == "blk.3.ffn_up.weight"
    assert layer_and_part("blk.12.attn_q.bias") == (12, "attn_q")


@pytest.mark.parametrize("name", ["digit_features.embed_role.weight", "layers.0.self_attn.q_norm.weight"])
def test_what_a_llama_does_not_have_has_no_name(name):
    with pytest.raises(KeyError):
        gguf_name(name)


def test_more_bits_go_to_values_and_last_products_of_outer_layers():
    # 11 layers: the first eighth is 1 layer, the last begins at 9, between every third.
    outer = [layer in (0, 3, 6, 9, 10) for layer in range(11)]
    assert kinds("Q4_K_M", "attn_v") == ["Q6_K" if is_outer else "Q4_K" for is_outer in outer]
    assert kinds("Q4_K_M", "ffn_down") == kinds("Q4_K_M", "attn_v")
    assert set(kinds("Q4_K_M", "attn_q")) == {"Q4_K"}


def test_a_tied_head_is_kept_in_more_bits_and_an_untied_embedding_is_not():
    assert kinds("Q4_0", "token_embd") == ["Q6_K"]
    assert kinds("Q4_0", "token_embd", tie_embeddings=False) == ["Q4_0"]
    assert kinds("Q4_0", "output", tie_embeddings=False) == ["Q6_K"]
    assert kinds("IQ1_S", "token_embd", tie_embeddings=False) == ["Q2_K"]


def test_values_that_many_heads_share_get_more_bits():
    assert set(kinds("Q2_K", "attn_v", num_kv_heads=2)) == {"Q4_K"}
    assert set(kinds("Q2_K", "attn_v", num_kv_heads=4)) == {"Q3_K"}


def test_knowing_which_columns_matter_changes_the_mixture():
    assert kinds("Q4_0", "ffn_down")[0] == "Q4_0"
    assert kinds("Q4_0", "ffn_down", has_importance=True) == ["Q4_1"] + ["Q4_0"] * 10


def test_norms_and_biases_stay_as_they_are():
    plans = plan_file(shape(attention_bias=True), "Q2_K")
    assert {plan.kind for plan in plans if len(plan.shape) == 1} == {"F32"}


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        ("Q4_K", 512, "Q4_K"),
        ("Q4_K", 192, "Q5_0"),
        ("Q4_K", 100, "F16"),
        ("IQ1_S", 96, "IQ4_NL"),
        ("Q8_0", 48, "F16"),
    ],
)
def test_rows_that_are_no_whole_blocks_get_another_type(kind, row, expected):
    assert fitting(kind, row) == expected


def test_bytes_are_those_of_whole_blocks_filled_up():
    assert bytes_of("Q5_0", 64) == 44
    assert aligned(44) == 2 * ALIGNMENT
    plans = plan_file(shape(), "Q8_0")
    assert bytes_of_tensors(plans) == sum(-(-plan.bytes // 32) * 32 for plan in plans)


@pytest.mark.parametrize("name", FILE_TYPES)
def test_every_mixture_of_whole_blocks_deserves_its_name(name):
    plans = plan_file(shape(), name, has_importance=True)
    assert why_undeserved(name, plans, has_importance=True) == ""
    assert BLOCKS.keys() >= {plan.kind for plan in plans}


def test_names_are_refused_where_most_weights_have_another_type():
    narrow = shape(hidden_size=192, intermediate_size=512, num_heads=6, num_kv_heads=2)
    reason = why_undeserved("Q4_K_M", plan_file(narrow, "Q4_K_M"))
    assert reason == "rows are no multiples of 256, so it would really hold Q4_K, Q5_0, Q6_K, Q8_0"
    wide = shape(hidden_size=192, intermediate_size=8192, num_heads=6, num_kv_heads=2)
    assert why_undeserved("Q6_K", plan_file(wide, "Q6_K")) != ""
    assert why_undeserved("Q8_0", plan_file(narrow, "Q8_0")) == ""


@pytest.mark.parametrize("name", ["IQ3_XXS", "IQ2_M", "IQ2_XXS", "IQ1_M", "Q2_K_S"])
def test_the_fewest_bits_need_to_know_which_columns_matter(name):
    assert "--imatrix" in why_undeserved(name, plan_file(shape(), name))


def test_signs_alone_have_nothing_to_fall_back_to():
    reason = why_undeserved("Q1_0", plan_file(shape(hidden_size=192, num_heads=6, num_kv_heads=2), "Q1_0"))
    assert reason == "rows of 192 are no multiples of 128, and llama.cpp has no smaller type to take instead"
