"""What GGUF calls the tensors of a Llama."""

import re

# Ours -> theirs; "{}" stands for the layer.
_OUTSIDE = {"embed_tokens": "token_embd", "norm": "output_norm", "lm_head": "output"}
_IN_LAYERS = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_OUTSIDE_BACK = {theirs: ours for ours, theirs in _OUTSIDE.items()}
_IN_LAYERS_BACK = {theirs: ours for ours, theirs in _IN_LAYERS.items()}
_OURS = re.compile(r"layers\.(\d+)\.(.+)\.(weight|bias)")
_THEIRS = re.compile(r"blk\.(\d+)\.(.+)\.(weight|bias)")


def gguf_name(name: str) -> str:
    """``layers.3.mlp.up_proj.weight`` -> ``blk.3.ffn_up.weight``. Raises ``KeyError`` for what it has no name for."""
    if match := _OURS.fullmatch(name):
        layer, module, kind = match.groups()
        return f"blk.{layer}.{_IN_LAYERS[module]}.{kind}"
    module, _, kind = name.rpartition(".")
    return f"{_OUTSIDE[module]}.{kind}"


def our_name(name: str) -> str:
    """``blk.3.ffn_up.weight`` -> ``layers.3.mlp.up_proj.weight``. Raises ``KeyError`` for what a Llama has not."""
    if match := _THEIRS.fullmatch(name):
        layer, module, kind = match.groups()
        return f"layers.{layer}.{_IN_LAYERS_BACK[module]}.{kind}"
    module, _, kind = name.rpartition(".")
    return f"{_OUTSIDE_BACK[module]}.{kind}"


def layer_and_part(name: str) -> tuple[int, str]:
    """``blk.3.ffn_up.weight`` -> 3, "ffn_up"; the layer is 0 for what stands outside of layers."""
    if match := _THEIRS.fullmatch(name):
        return int(match[1]), match[2]
    return 0, name.rpartition(".")[0]
