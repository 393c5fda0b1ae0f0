import pytest
import torch

from smidgen.errors import BadInput
from smidgen.export.gguf.importance import importance_of, mean_squares
from smidgen.export.gguf.weights import named_weights

from .models import block_model


def test_each_matrix_gets_the_mean_square_of_what_it_reads():
    decoder = block_model().decoder
    texts = [torch.arange(5), torch.arange(7, 20)]
    found = mean_squares(decoder, texts)
    matrices = {name for name, rows in named_weights(decoder).items() if rows.ndim == 2 and name.startswith("blk.")}
    assert found.keys() == matrices
    # The first layer's queries read the normalised embedding of every token.
    with torch.inference_mode():
        read = [decoder.layers[0].input_layernorm(decoder.embed_tokens(ids_T)) for ids_T in texts]
    expected = torch.cat(read).square().mean(dim=0)
    assert torch.allclose(torch.from_numpy(found["blk.0.attn_q.weight"]), expected, rtol=1e-5)
    assert len(found["blk.1.ffn_down.weight"]) == decoder.config.intermediate_size


def test_the_decoder_is_left_without_hooks():
    decoder = block_model().decoder
    mean_squares(decoder, [torch.arange(3)])
    assert not any(part._forward_pre_hooks for part in decoder.modules())


def test_a_model_without_training_text_is_refused():
    with pytest.raises(BadInput, match="has no training text"):
        importance_of(block_model())
