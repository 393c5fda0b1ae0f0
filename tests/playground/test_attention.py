import pytest
import torch

from smidgen.errors import BadInput
from smidgen.playground.attention import attention_weights

from ..export.tiny import CONTEXT, farthest, random_ids, tiny_model


@torch.inference_mode()
def test_the_weights_give_what_the_layers_read():
    model = tiny_model()
    ids = random_ids(1, CONTEXT)
    read, values = [], []
    attentions = [layer.self_attn for layer in model.decoder.layers]
    for attention in attentions:
        attention.o_proj.register_forward_pre_hook(lambda _, arguments: read.append(arguments[0][0, -1]))
        attention.v_proj.register_forward_hook(lambda _, arguments, output: values.append(output[0]))
    model.decoder.hidden_states(ids)
    for attention in attentions:
        attention.o_proj._forward_pre_hooks.clear()
        attention.v_proj._forward_hooks.clear()
    first, weights_LHS = attention_weights(model.decoder, ids[0].tolist())
    assert first == 0
    config = model.config
    assert weights_LHS.shape == (config.num_layers, config.num_heads, CONTEXT)
    for weights_HS, read_P, value_SP in zip(weights_LHS, read, values, strict=True):
        v_KSD = value_SP.view(CONTEXT, config.num_kv_heads, config.head_dim).transpose(0, 1)
        expected = weights_HS.view(config.num_kv_heads, config.group_size, CONTEXT) @ v_KSD
        assert farthest(expected.flatten(), read_P) < 1e-5


def test_only_what_is_in_sight_is_read():
    [ids] = random_ids(1, CONTEXT + 4).tolist()
    model = tiny_model(xsa=True)
    first, weights_LHS = attention_weights(model.decoder, ids)
    assert first == 4
    _, same_LHS = attention_weights(model.decoder, ids[4:])
    assert torch.equal(weights_LHS, same_LHS)
    assert farthest(weights_LHS.sum(dim=-1), torch.ones(weights_LHS.shape[:2])) < 1e-5


def test_looking_leaves_no_trace():
    model = tiny_model()
    attention_weights(model.decoder, [1, 2])
    assert not any(layer.self_attn._forward_pre_hooks for layer in model.decoder.layers)


def test_models_of_others_are_refused():
    with pytest.raises(BadInput, match="keeps its attention to itself"):
        attention_weights(torch.nn.Linear(2, 2), [1])
