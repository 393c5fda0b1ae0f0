"""Our own kernels in a stack of decoders, where its decoders compute with them alone.

Attention has no weights, so that more models are more sequences to it, and norms take the weights of all models. The
other two kernels take one model's weights and are called for each model in turn, which costs nothing: a processor has
enough to do with one.

M models    B sequences of a model    N = M x B sequences    T tokens    C channels    Q of the queries
"""

import torch
from torch import Tensor

from smidgen.model.attention import Attention
from smidgen.model.decoder import Decoder
from smidgen.model.feed_forward import FeedForward
from smidgen.model.norm import RMSNorm
from smidgen.training.acceleration import (
    OWN_CROSS_ENTROPY,
    has_own_attention,
    has_own_feed_forward,
    has_own_norms,
    joined_projections,
    normed,
    own_cross_entropy,
    read_projected,
    replace_method,
)
from smidgen.training.kernels import feed_forward as feed_forward_kernel
from smidgen.training.kernels import head_loss as head_loss_kernel
from smidgen.training.kernels.loading import TOKENS
from smidgen.training.losses import losses_of_each
from smidgen.training.stack_decoder import StackedDecoder, stacked_product


def accelerate_like(stack: StackedDecoder, decoder: Decoder) -> None:
    """Install in a stack what ``accelerate`` installed in one of its decoders."""
    if has_own_attention(decoder):
        replace_method(stack, Attention, "read", _read)
    if has_own_feed_forward(decoder):
        replace_method(stack, FeedForward, "forward", _feed)
    if own_cross_entropy(decoder) is not None:
        replace_method(stack, Decoder, OWN_CROSS_ENTROPY, _cross_entropies)
    if has_own_norms(decoder):
        replace_method(stack, RMSNorm, "forward", normed)


def _read(
    attention: Attention,
    x_NTC: Tensor,
    rotation: tuple[Tensor, Tensor],
    mask_N1TS: Tensor | None = None,
    cache: None = None,
) -> Tensor:
    return read_projected(attention, stacked_product(x_NTC, *joined_projections(attention)), rotation, mask_N1TS)


def _feed(layer: FeedForward, x_NTC: Tensor) -> Tensor:
    weights = [each.weight for each in (layer.gate_proj, layer.up_proj, layer.down_proj)]
    x_MBTC = x_NTC.unflatten(0, (len(weights[0]), -1))
    if x_MBTC[0, ..., 0].numel() % TOKENS:
        return FeedForward.forward(layer, x_NTC)
    # Taken apart all at once: the gradient of each part taken by itself would be as large as the whole.
    parts = zip(x_MBTC.bfloat16().unbind(), *(weight.unbind() for weight in weights), strict=True)
    return torch.cat([feed_forward_kernel.feed_forward(*part)[0] for part in parts])


def _cross_entropies(stack: StackedDecoder, x_NTC: Tensor, targets_NT: Tensor) -> Tensor:
    """The mean cross entropy of each model, (M)."""
    x_MBTC, targets_MBT = stack.of_each(x_NTC), stack.of_each(targets_NT)
    if targets_MBT[0].numel() % TOKENS:
        return losses_of_each(stack.of_each(stack.logits(x_NTC)), targets_MBT, 0.0)[0]
    parts = zip(x_MBTC.bfloat16().unbind(), stack.head_weight.unbind(), targets_MBT.unbind(), strict=True)
    return torch.stack([head_loss_kernel.head_loss(*part)[0] for part in parts])
