import numpy as np
import torch

from smidgen.checkpoints.gguf.llama import _half_split
from smidgen.export.gguf.weights import interleaved, named_weights

from .models import block_model


def test_pairs_that_turn_together_become_neighbours():
    # Two heads of six channels: channel r turns with channel r + 3.
    rows = np.arange(12.0)
    assert interleaved(rows, 2).tolist() == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]


def test_reading_undoes_writing():
    rows = torch.randn(3 * 10, 7)
    assert torch.equal(_half_split(torch.from_numpy(interleaved(rows.numpy(), 3)), 3), rows)
    assert not torch.equal(torch.from_numpy(interleaved(rows.numpy(), 3)), rows)


def test_only_queries_and_keys_change_their_order():
    model = block_model(tie_embeddings=False, attention_bias=True)
    state, named = model.decoder.state_dict(), named_weights(model.decoder)
    assert len(named) == len(state)
    assert np.array_equal(named["blk.1.attn_v.weight"], state["layers.1.self_attn.v_proj.weight"].numpy())
    assert np.array_equal(named["output.weight"], state["lm_head.weight"].numpy())
    for ours, theirs in (("q_proj.weight", "attn_q.weight"), ("k_proj.bias", "attn_k.bias")):
        given, written = state[f"layers.0.self_attn.{ours}"].numpy(), named[f"blk.0.{theirs}"]
        assert not np.array_equal(written, given)
        assert np.array_equal(np.sort(written, axis=0), np.sort(given, axis=0))
