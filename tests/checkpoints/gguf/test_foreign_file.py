"""GGUF files that others made."""

import numpy as np
import pytest
import torch

from smidgen.checkpoints.gguf.container import read_gguf
from smidgen.checkpoints.gguf.numbers import tensor_of
from smidgen.checkpoints.open_model import open_model
from smidgen.errors import BadInput

from .written import gguf_bytes, llama


def opened(tmp_path, settings, tensors):
    path = tmp_path / "theirs.gguf"
    path.write_bytes(gguf_bytes(settings, tensors))
    return open_model(path)


def test_a_plain_llama_opens_with_its_tokenizer(tmp_path):
    model = opened(tmp_path, *llama())
    assert model.is_foreign
    assert (model.config.vocab_size, model.config.head_dim, model.config.num_kv_heads) == (258, 4, 1)
    assert model.config.rope_theta == 10_000
    assert model.config.tie_embeddings
    h, e = (model.tokenizer.encode(letter)[0] for letter in "he")
    assert model.tokenizer.encode("hehh") == [257, h, h]
    assert model.tokenizer.decode([257, e]) == "hee"
    assert torch.isfinite(model.decoder(torch.tensor([[1, 2, 3]]))).all()


def test_a_beginning_that_the_file_asks_for_is_added(tmp_path):
    model = opened(tmp_path, *llama(**{"tokenizer.ggml.add_bos_token": True}))
    assert model.tokenizer.encode("he") == [0, 257]


def test_its_queries_are_put_into_our_order(tmp_path):
    settings, tensors = llama()
    model = opened(tmp_path, settings, tensors)
    given = torch.from_numpy(tensors["blk.0.attn_q.weight"]).float()
    read = model.decoder.state_dict()["layers.0.self_attn.q_proj.weight"]
    # Two heads of four rows: neighbours 0 and 1 turn together, which are rows 0 and 2 here.
    assert torch.equal(read, given[[0, 2, 1, 3, 4, 6, 5, 7]])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"general.architecture": "qwen2"}, "has the architecture 'qwen2'; only 'llama' can be read"),
        ({"llama.block_count": None}, r"lacks llama\.block_count"),
        ({"llama.block_count": 2**31}, "announces 2,147,483,648 layers"),
        ({"llama.attention.head_count_kv": [1, 1]}, r"lacks llama\.attention\.head_count_kv, or has another one"),
        ({"llama.attention.layer_norm_rms_epsilon": None}, "lacks llama.attention.layer_norm_rms_epsilon"),
        ({"llama.rope.dimension_count": 2}, r"rope\.dimension_count=2 with heads of 4"),
        ({"llama.rope.scaling.type": "yarn"}, r"asks for rope\.scaling\.type"),
        ({"llama.expert_count": 4}, "asks for expert_count"),
        ({"llama.attention.sliding_window": 16}, r"asks for attention\.sliding_window"),
        ({"llama.embedding_length": 16}, r"rope\.dimension_count=4 with heads of 8"),
        ({"llama.feed_forward_length": 16}, r"ffn_gate\.weight has the shape \(12, 8\), not \(16, 8\)"),
        ({"llama.attention.head_count": 3, "llama.attention.key_length": 4}, "describes no model that can be built"),
        ({"tokenizer.ggml.model": "llama"}, "tokenizer of the kind 'llama'"),
        ({"tokenizer.ggml.pre": "tekken"}, "cuts texts as 'tekken' does"),
        ({"tokenizer.ggml.pre": None}, "cuts texts as None does"),
        ({"tokenizer.ggml.tokens": ["a"]}, "no type for each of its tokens"),
        ({"tokenizer.ggml.merges": ["x yz"]}, "merges do not fit its tokens"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, changes, reason):
    with pytest.raises(BadInput, match=reason):
        opened(tmp_path, *llama(**changes))


def test_other_tensors_are_refused(tmp_path):
    settings, tensors = llama()
    with pytest.raises(BadInput, match=r"a tensor blk\.0\.attn_q_norm\.weight, which a plain Llama does not have"):
        opened(tmp_path, settings, {**tensors, "blk.0.attn_q_norm.weight": np.ones(4)})
    with pytest.raises(BadInput, match=r"rope_freqs\.weight"):
        opened(tmp_path, settings, {**tensors, "rope_freqs.weight": np.ones(2)})
    del tensors["blk.0.ffn_up.weight"]
    with pytest.raises(BadInput, match=r"layers\.0\.mlp\.up_proj\.weight"):
        opened(tmp_path, settings, tensors)


def test_numbers_that_are_none_are_refused(tmp_path):
    settings, tensors = llama()
    tensors["output_norm.weight"] = np.full(8, np.nan)
    with pytest.raises(BadInput, match=r"output_norm\.weight holds NaN"):
        opened(tmp_path, settings, tensors)


def test_signs_are_read_as_llama_cpp_made_them(tmp_path):
    pytest.importorskip("xllamacpp")
    gguf = pytest.importorskip("gguf")
    from smidgen.export.gguf.quantiser import quantise

    rows = np.random.default_rng(0).standard_normal((3, 256)).astype(np.float32)
    writer = gguf.GGUFWriter(tmp_path / "signs.gguf", "llama")
    writer.add_tensor("t", quantise(rows, "Q1_0"), raw_dtype=gguf.GGMLQuantizationType.Q1_0)
    for step in ("header", "kv_data", "tensors"):
        getattr(writer, f"write_{step}_to_file")()
    writer.close()
    read = tensor_of(read_gguf(tmp_path / "signs.gguf"), "t").numpy()
    scales = np.abs(rows.reshape(3, 2, 128)).mean(axis=2, keepdims=True)
    expected = np.where(rows.reshape(3, 2, 128) >= 0, scales, -scales)
    assert np.allclose(read.reshape(3, 2, 128), expected, rtol=1e-3)
