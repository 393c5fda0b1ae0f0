import torch

from smidgen.model.block import Block
from smidgen.model.rope import rotary_angles

from .small_models import farthest, random_tensor, randomise, small_config


def small_block(**changes):
    config = small_config(**changes)
    block = Block(config, layer_idx=0)
    randomise(block, seed=5)
    return block, rotary_angles(torch.arange(7)[None], config.head_dim, config.rope_theta)


def test_attention_comes_first_and_each_part_is_added_to_what_it_read():
    block, rotation = small_block(xsa=True)
    x_BTC = random_tensor(2, 7, 30)
    middle_BTC = x_BTC + block.self_attn(block.input_layernorm(x_BTC), rotation)
    expected_BTC = middle_BTC + block.mlp(block.post_attention_layernorm(middle_BTC))
    assert torch.equal(block(x_BTC, rotation), expected_BTC)
    swapped_BTC = x_BTC + block.mlp(block.post_attention_layernorm(x_BTC))
    swapped_BTC = swapped_BTC + block.self_attn(block.input_layernorm(swapped_BTC), rotation)
    assert farthest(swapped_BTC, expected_BTC) > 1e-2


def test_a_block_that_writes_nothing_passes_its_input_on():
    block, rotation = small_block()
    torch.nn.init.zeros_(block.self_attn.o_proj.weight)
    torch.nn.init.zeros_(block.mlp.down_proj.weight)
    x_BTC = random_tensor(2, 7, 30)
    assert torch.equal(block(x_BTC, rotation), x_BTC)
