"""Letting a decoder compute with our own kernels while it is trained on a processor.

Only how its layers compute is replaced, and only in training mode: parameters, their names and their gradients stay
where they are, and evaluation does not notice.
"""

from collections.abc import Callable
from pathlib import Path
from types import MethodType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smidgen.model.attention import Attention, heads_normed
from smidgen.model.decoder import Decoder
from smidgen.model.feed_forward import FeedForward
from smidgen.model.kv_cache import KVCache
from smidgen.model.norm import RMSNorm
from smidgen.native.library import Unavailable
from smidgen.training.documents import document_mask, first_of_document
from smidgen.training.freed_memory import keep_freed_memory
from smidgen.training.kernels import attention as attention_kernel
from smidgen.training.kernels import feed_forward as feed_forward_kernel
from smidgen.training.kernels import head_loss as head_loss_kernel
from smidgen.training.kernels import norm as norm_kernel
from smidgen.training.kernels.loading import CHANNELS, TOKENS
from smidgen.training.losses import training_losses

# What a decoder that has the kernel of head and loss carries.
OWN_CROSS_ENTROPY = "own_cross_entropy"


def accelerate(decoder: Decoder, device: torch.device, dtype: torch.dtype) -> list[str]:
    """Install what is faster here than PyTorch's own; a sentence for each part that cannot be compiled."""
    if device.type != "cpu":
        return []
    keep_freed_memory()
    try:
        if _attention_pays(decoder, dtype):
            replace_method(decoder, Attention, "read", _read)
        if _feed_forward_pays(decoder, dtype):
            replace_method(decoder, FeedForward, "forward", _feed)
        if _head_loss_pays(decoder, dtype):
            replace_method(decoder, Decoder, OWN_CROSS_ENTROPY, _cross_entropy)
        if _norms_pay(decoder, dtype):
            replace_method(decoder, RMSNorm, "forward", normed)
    except Unavailable as error:
        return [f"training runs on PyTorch's kernels alone, which takes about twice as long: {error}"]
    return []


def own_cross_entropy(decoder: Decoder) -> Callable[[Tensor, Tensor], Tensor] | None:
    """The mean cross entropy in nats, of what ``Decoder.hidden_states`` gives and of targets, where a kernel of ours
    computes it.
    """
    return vars(decoder).get(OWN_CROSS_ENTROPY)


def keep_apart(decoder: Decoder) -> Callable[[Tensor, int], Tensor]:
    """What makes masks that keep documents apart, of token ids and the end-of-text id, for this decoder's layers."""
    return _first_as_mask if has_own_attention(decoder) else _document_mask


def has_own_attention(decoder: Decoder) -> bool:
    """Whether training reads earlier tokens with our kernel."""
    return _is_replaced(decoder, Attention, "read")


def has_own_feed_forward(decoder: Decoder) -> bool:
    """Whether training computes the feed-forward layers with our kernel."""
    return _is_replaced(decoder, FeedForward, "forward")


def has_own_norms(decoder: Decoder) -> bool:
    """Whether training norms tokens and heads with our kernel."""
    return _is_replaced(decoder, RMSNorm, "forward")


def kernels_in_use(decoder: Decoder) -> list[str]:
    """The compiled files that training computes with. Their names stand for all that rounding depends on: source,
    compiler, options and processor.
    """
    config = decoder.config
    used = []
    if has_own_attention(decoder):
        used.append(attention_kernel.library(config.head_dim))
    if has_own_feed_forward(decoder):
        used.append(feed_forward_kernel.library(config.hidden_size, config.intermediate_size))
    if own_cross_entropy(decoder) is not None:
        used.append(head_loss_kernel.library())
    if has_own_norms(decoder):
        used.extend(map(norm_kernel.library, _sizes_of_norms(decoder)))
    return [Path(library._name).name for library in used]


def replace_method(decoder: Decoder, kind: type[nn.Module], method: str, function) -> None:
    """Let every module of a kind compute by ``function``, which gets the module first."""
    for module in decoder.modules():
        if isinstance(module, kind):
            setattr(module, method, MethodType(function, module))


def joined_projections(attention: Attention) -> tuple[Tensor, Tensor | None]:
    """Weights and biases of queries, keys and values as those of one projection: one product instead of three reads
    its input once; joining the weights costs less than 1% of that.

    A first axis of several models may stand before, as in a stack.
    """
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    weight = torch.cat([each.weight for each in projections], dim=-2)
    return weight, None if projections[0].bias is None else torch.cat([each.bias for each in projections], dim=-1)


def read_projected(
    attention: Attention, projected_BTP: Tensor, rotation: tuple[Tensor, Tensor], mask_B1TS: Tensor | None
) -> Tensor:
    """``Attention.read`` by our kernel, of what the joined projections give; the mask is that of ``keep_apart``."""
    first_BT = None if mask_B1TS is None else mask_B1TS[:, 0, :, 0]
    heads = attention.q_proj.out_features // attention.head_dim
    normed_BTP = _queries_and_keys_normed(attention, projected_BTP)
    out_BTQ, *_ = attention_kernel.causal_attention(
        normed_BTP, *rotation, first_BT, heads, attention.num_kv_heads, attention.xsa
    )
    return out_BTQ


def normed(norm: RMSNorm, x_BTC: Tensor) -> Tensor:
    """``RMSNorm.forward`` by our kernel, of one model or of a stack."""
    # Only heads come in bfloat16, and `read_projected` norms those of queries and keys at once.
    if not norm.training or x_BTC.dtype != torch.float32:
        return type(norm).forward(norm, x_BTC)
    # Only products read it, and those round it to this.
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x_BTC.dtype
    return norm_kernel.norm(x_BTC, _weights_of_heads(norm, 1), norm.eps, dtype)


def _weights_of_heads(norm: RMSNorm, heads: int) -> Tensor:
    """(M, heads, C) of M models, which is 1 but in a stack."""
    return norm.weight.view(-1, 1, norm.weight.shape[-1]).expand(-1, heads, -1)


def _queries_and_keys_normed(attention: Attention, projected_BTP: Tensor) -> Tensor:
    if attention.q_norm is None or attention.k_norm is None:
        return projected_BTP
    sizes = [each.out_features for each in (attention.q_proj, attention.k_proj, attention.v_proj)]
    if "forward" in vars(attention.q_norm):
        q_weight_MHD = _weights_of_heads(attention.q_norm, sizes[0] // attention.head_dim)
        k_weight_MKD = _weights_of_heads(attention.k_norm, attention.num_kv_heads)
        weights = torch.cat((q_weight_MHD, k_weight_MKD), dim=1)
        return norm_kernel.norm(projected_BTP, weights, attention.q_norm.eps, projected_BTP.dtype)
    q_BTQ, k_BTK, v_BTK = projected_BTP.split(sizes, dim=-1)
    parts = heads_normed(q_BTQ, attention.q_norm), heads_normed(k_BTK, attention.k_norm), v_BTK
    return torch.cat(parts, dim=-1)


def _attention_pays(decoder: Decoder, dtype: torch.dtype) -> bool:
    # Measured against PyTorch's, forward and backward: 2.3 to 2.7 times in float32, 5 to 10 times in bfloat16.
    library = attention_kernel.library(decoder.config.head_dim)
    return dtype == torch.float32 or (dtype == torch.bfloat16 and bool(library.has_bfloat16()))


def _feed_forward_pays(decoder: Decoder, dtype: torch.dtype) -> bool:
    config = decoder.config
    sizes = config.hidden_size, config.intermediate_size
    if dtype != torch.bfloat16 or config.mlp_bias or any(size % CHANNELS for size in sizes):
        return False
    return bool(feed_forward_kernel.library(*sizes).is_fastest())


def _head_loss_pays(decoder: Decoder, dtype: torch.dtype) -> bool:
    # Measured against PyTorch's, compiled: four fifths of its time, and no logits in memory.
    config = decoder.config
    sizes = config.hidden_size, config.vocab_size
    if dtype != torch.bfloat16 or config.logit_softcap or any(size % CHANNELS for size in sizes):
        return False
    return bool(head_loss_kernel.library().is_fastest())


def _norms_pay(decoder: Decoder, dtype: torch.dtype) -> bool:
    # Measured against PyTorch's, compiled, forward and backward: norms of heads 2.3 to 4.7 times as fast. Those of
    # tokens, which PyTorch joins with what is around them, make a step 2% faster in float32, 1% slower in bfloat16.
    sizes = _sizes_of_norms(decoder)
    if dtype not in (torch.float32, torch.bfloat16) or any(size % norm_kernel.VECTOR for size in sizes):
        return False
    return all(norm_kernel.library(size).is_fastest() for size in sizes)


def _sizes_of_norms(decoder: Decoder) -> list[int]:
    norms = (module for module in decoder.modules() if isinstance(module, RMSNorm))
    return sorted({norm.weight.shape[-1] for norm in norms})


def _is_replaced(decoder: Decoder, kind: type[nn.Module], method: str) -> bool:
    return any(method in vars(module) for module in decoder.modules() if isinstance(module, kind))


# The kernel needs no more than the first token, and saves what a mask of all pairs hides.
def _first_as_mask(token_ids_BT: Tensor, end_of_text_id: int) -> Tensor:
    return first_of_document(token_ids_BT, end_of_text_id)[:, None, :, None]


def _document_mask(token_ids_BT: Tensor, end_of_text_id: int) -> Tensor:
    return document_mask(first_of_document(token_ids_BT, end_of_text_id))


def _read(
    attention: Attention,
    x_BTC: Tensor,
    rotation: tuple[Tensor, Tensor],
    mask_B1TS: Tensor | None = None,
    cache: KVCache | None = None,
) -> Tensor:
    is_known_mask = mask_B1TS is None or mask_B1TS.dtype == torch.int32
    if not attention.training or not is_known_mask or cache is not None:
        return Attention.read(attention, x_BTC, rotation, mask_B1TS, cache)
    return read_projected(attention, F.linear(x_BTC, *joined_projections(attention)), rotation, mask_B1TS)


def _feed(layer: FeedForward, x_BTC: Tensor) -> Tensor:
    if not layer.training or x_BTC.shape[:-1].numel() % TOKENS:
        return FeedForward.forward(layer, x_BTC)
    weights = (each.weight for each in (layer.gate_proj, layer.up_proj, layer.down_proj))
    out_BTC, *_ = feed_forward_kernel.feed_forward(x_BTC.bfloat16(), *weights)
    return out_BTC


def _cross_entropy(decoder: Decoder, x_BTC: Tensor, targets_BT: Tensor) -> Tensor:
    if targets_BT.numel() % TOKENS:
        return training_losses(decoder.logits(x_BTC), targets_BT, 0.0)[0]
    loss, *_ = head_loss_kernel.head_loss(x_BTC.bfloat16(), decoder.head_weight, targets_BT)
    return loss
