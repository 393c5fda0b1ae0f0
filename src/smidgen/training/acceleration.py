"""Letting a decoder compute with our own kernels while it is trained on a processor.

Only how its layers compute is replaced, and only in training mode: parameters, their names and their gradients stay
where they are, and evaluation does not notice.
"""

from types import MethodType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smidgen.model.attention import Attention
from smidgen.model.decoder import Decoder
from smidgen.model.feed_forward import FeedForward
from smidgen.model.kv_cache import KVCache
from smidgen.native.library import Unavailable
from smidgen.training.freed_memory import keep_freed_memory
from smidgen.training.kernels import attention as attention_kernel
from smidgen.training.kernels import feed_forward as feed_forward_kernel


def accelerate(decoder: Decoder, device: torch.device, dtype: torch.dtype) -> list[str]:
    """Install what is faster here than PyTorch's own; a sentence for each part that cannot be compiled."""
    if device.type != "cpu":
        return []
    keep_freed_memory()
    try:
        if _attention_pays(decoder, dtype):
            _replace(decoder, Attention, "read", _read)
        if _feed_forward_pays(decoder, dtype):
            _replace(decoder, FeedForward, "forward", _feed)
    except Unavailable as error:
        return [f"training runs on PyTorch's kernels alone, which takes about twice as long: {error}"]
    return []


def _attention_pays(decoder: Decoder, dtype: torch.dtype) -> bool:
    # Measured against PyTorch's, forward and backward: 2.3 to 2.7 times in float32, 5 to 10 times in bfloat16.
    library = attention_kernel.library(decoder.config.head_dim)
    return dtype == torch.float32 or (dtype == torch.bfloat16 and bool(library.has_bfloat16()))


def _feed_forward_pays(decoder: Decoder, dtype: torch.dtype) -> bool:
    config = decoder.config
    sizes = config.hidden_size, config.intermediate_size
    if dtype != torch.bfloat16 or config.mlp_bias or any(size % feed_forward_kernel.CHANNELS for size in sizes):
        return False
    return bool(feed_forward_kernel.library(*sizes).is_fastest())


def _replace(decoder: Decoder, kind: type[nn.Module], method: str, function) -> None:
    for module in decoder.modules():
        if isinstance(module, kind):
            setattr(module, method, MethodType(function, module))


def _read(
    attention: Attention,
    x_BTC: Tensor,
    rotation: tuple[Tensor, Tensor],
    mask_B1TS: Tensor | None = None,
    cache: KVCache | None = None,
) -> Tensor:
    if not attention.training or mask_B1TS is not None or cache is not None:
        return Attention.read(attention, x_BTC, rotation, mask_B1TS, cache)
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    # One product instead of three reads its input once; joining the weights costs less than 1% of that.
    weight_PC = torch.cat([each.weight for each in projections])
    bias_P = torch.cat([each.bias for each in projections]) if projections[0].bias is not None else None
    heads = attention.q_proj.out_features // attention.head_dim
    projected_BTP = F.linear(x_BTC, weight_PC, bias_P)
    out_BTQ, *_ = attention_kernel.causal_attention(
        projected_BTP, *rotation, None, heads, attention.num_kv_heads, attention.xsa
    )
    return out_BTQ


def _feed(layer: FeedForward, x_BTC: Tensor) -> Tensor:
    if not layer.training or x_BTC.shape[:-1].numel() % feed_forward_kernel.TOKENS:
        return FeedForward.forward(layer, x_BTC)
    weights = (each.weight for each in (layer.gate_proj, layer.up_proj, layer.down_proj))
    out_BTC, *_ = feed_forward_kernel.feed_forward(x_BTC.bfloat16(), *weights)
    return out_BTC
