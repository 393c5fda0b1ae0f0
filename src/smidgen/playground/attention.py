"""What the newest token of a text reads: the weights of every head in every layer.

Shapes:
    B batch (one)    S tokens in sight    C channels    H query heads    K key-value heads    D channels of one head
    G = H / K query heads that share a key-value head    R = D / 2 rotations    L layers
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from smidgen.errors import BadInput
from smidgen.model.attention import Attention
from smidgen.model.decoder import Decoder


@torch.inference_mode()
def attention_weights(decoder: Decoder, ids: Sequence[int]) -> tuple[int, Tensor]:
    """The index of the first token in sight, and the weights (L, H, S) from there on; they sum to one.

    Raises ``BadInput`` for a model whose layers are not ours.
    """
    if not isinstance(decoder, Decoder):
        raise BadInput("this model keeps its attention to itself: only models of our own design can be looked into")
    first = max(0, len(ids) - decoder.config.context_length)
    found: list[Tensor] = []

    def look(attention: Any, arguments: tuple[Any, ...]) -> None:
        found.append(_of_newest(attention, *arguments[:2]))

    attentions = [module for module in decoder.modules() if isinstance(module, Attention)]
    hooks = [attention.register_forward_pre_hook(look) for attention in attentions]
    try:
        decoder.hidden_states(torch.tensor([list(ids[first:])], device=decoder.embed_tokens.weight.device))
    finally:
        for hook in hooks:
            hook.remove()
    return first, torch.stack(found).cpu()


def _of_newest(attention: Attention, x_1SC: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """(H, S), computed as the layer does it but for the newest token alone."""
    K, D = attention.num_kv_heads, attention.head_dim
    cos_1SR, sin_1SR = rotation
    q_1H1D = attention.queries(x_1SC[:, -1:], (cos_1SR[:, -1:], sin_1SR[:, -1:]))
    k_1KSD = attention.keys(x_1SC, rotation)
    q_1KGD = q_1H1D.view(1, K, -1, D)
    weights_1KGS = (q_1KGD @ k_1KSD.transpose(-1, -2) / D**0.5).float().softmax(dim=-1)
    return weights_1KGS.flatten(end_dim=2)
