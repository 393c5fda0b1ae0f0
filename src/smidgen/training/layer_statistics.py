"""What each part of a model is like at one step: its weights, gradients and activations.

The look is taken outside of the compiled step: gradients and weights are read around the update, activations in a
forward pass of its own in evaluation mode, which every kernel of ours leaves to PyTorch. Nothing is written to.

B sequences    T tokens    S earlier tokens    C hidden    H query heads    K key-value heads    D head    F units
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from smidgen.model.attention import Attention
from smidgen.model.block import Block
from smidgen.model.decoder import Decoder

# A unit of a feed-forward layer is dead when nothing it gives on any token reaches this share of the layer's root
# mean square (assumed: SwiGLU has no exact zeros).
DEAD_SHARE = 0.01


class LayerLook:
    """One look: made after the gradients and before the update, asked for ``parts`` after the update.

    ``gradient_norm`` is that of all gradients before they were clipped to ``gradient_clip``.
    """

    def __init__(self, decoder: Decoder, gradient_norm: Tensor, gradient_clip: float) -> None:
        self._decoder = decoder
        # What clip_grad_norm_ multiplied the gradients by.
        clipped = (gradient_clip / (gradient_norm + 1e-6)).clamp(max=1.0)
        modules = _parts(decoder).values()
        self._weights = [[weight.detach().clone() for weight in module.parameters()] for module in modules]
        self._gradients = torch.stack([_norm(_gradients(module)) for module in modules]) / clipped

    @torch.no_grad()
    def parts(self, ids_BT: Tensor) -> list[dict[str, Any]]:
        """For each part its ``name`` (as among the parameters), ``weight_norm``, ``gradient_norm`` before clipping,
        and ``update_ratio``, the size of the last update beside that of the weights.

        Layers besides: ``activation_rms`` and ``activation_max`` of the residual stream after them,
        ``attention_logit_max`` over the first sequence, and ``dead_units``, a share. None stands for what is not
        finite.
        """
        modules = _parts(self._decoder)
        columns: dict[str, Tensor] = {"gradient_norm": self._gradients}
        before = torch.stack([_norm(weights) for weights in self._weights])
        changes = [
            _norm([new.detach() - old for new, old in zip(module.parameters(), weights, strict=True)])
            for module, weights in zip(modules.values(), self._weights, strict=True)
        ]
        columns["weight_norm"] = torch.stack([_norm(list(module.parameters())) for module in modules.values()])
        columns["update_ratio"] = torch.stack(changes) / before
        rows = _rows(columns)
        in_layers = _rows(_activations(self._decoder, ids_BT))
        layers = dict(zip([name for name in modules if name.startswith("layers.")], in_layers, strict=True))
        return [{"name": name, **row, **layers.get(name, {})} for name, row in zip(modules, rows, strict=True)]


def _parts(decoder: Decoder) -> dict[str, nn.Module]:
    """What has weights, in the order of computation; layers one by one."""
    named: dict[str, nn.Module] = {}
    for name, module in decoder.named_children():
        layers = module.named_children() if isinstance(module, nn.ModuleList) else ()
        named |= {f"{name}.{number}": layer for number, layer in layers} or {name: module}
    return {name: module for name, module in named.items() if next(module.parameters(), None) is not None}


def _gradients(module: nn.Module) -> list[Tensor]:
    return [weight.new_zeros(()) if weight.grad is None else weight.grad for weight in module.parameters()]


def _norm(tensors: list[Any]) -> Tensor:
    """The length of all tensors as one vector."""
    return torch.stack([tensor.detach().float().norm() for tensor in tensors]).norm()


def _rows(columns: dict[str, Tensor]) -> list[dict[str, float | None]]:
    """A row for each place of the columns, fetched from the device at once."""
    rows = torch.stack([column.float() for column in columns.values()], dim=1).tolist()
    return [
        {name: value if math.isfinite(value) else None for name, value in zip(columns, row, strict=True)}
        for row in rows
    ]


def _activations(decoder: Decoder, ids_BT: Tensor) -> dict[str, Tensor]:
    """What a forward pass shows, one value for each layer."""
    seen: dict[str, list[Tensor]] = {}

    def note(name: str, value: Tensor) -> None:
        seen.setdefault(name, []).append(value.float())

    was_training = decoder.training
    decoder.eval()
    with _hooked(decoder, note):
        decoder.hidden_states(ids_BT)
    decoder.train(was_training)
    return {name: torch.stack(values) for name, values in seen.items()}


@contextmanager
def _hooked(decoder: Decoder, note: Callable[[str, Tensor], None]) -> Iterator[None]:
    def after_layer(layer: nn.Module, inputs: Any, x_BTC: Tensor) -> None:
        note("activation_rms", x_BTC.float().square().mean().sqrt())
        note("activation_max", x_BTC.abs().amax())

    def in_feed_forward(layer: nn.Module, inputs: tuple[Tensor]) -> None:
        note("dead_units", _dead_share(inputs[0]))

    def in_attention(attention: Attention, inputs: tuple[Any, ...]) -> None:
        note("attention_logit_max", _largest_logit(attention, *inputs[:2]))

    hooks = []
    for layer in decoder.layers:
        assert isinstance(layer, Block)
        hooks += [
            layer.register_forward_hook(after_layer),
            layer.mlp.down_proj.register_forward_pre_hook(in_feed_forward),
            layer.self_attn.register_forward_pre_hook(in_attention),
        ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _dead_share(x_BTF: Tensor) -> Tensor:
    size_BTF = x_BTF.float().abs()
    bound = DEAD_SHARE * size_BTF.square().mean().sqrt()
    return (size_BTF.amax(dim=(0, 1)) <= bound).float().mean()


def _largest_logit(attention: Attention, x_BTC: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """The largest score before the softmax that any token of the first sequence gives to one that it may read."""
    x_1TC = x_BTC[:1]
    T = x_1TC.shape[1]
    cos_1TR, sin_1TR = (angles[:1] for angles in rotation)
    q_1HTD = attention.queries(x_1TC, (cos_1TR, sin_1TR)).float()
    k_1KSD = attention.keys(x_1TC, (cos_1TR, sin_1TR)).float()
    k_1HSD = k_1KSD.repeat_interleave(q_1HTD.shape[1] // k_1KSD.shape[1], dim=1)
    logits_1HTS = q_1HTD @ k_1HSD.transpose(2, 3) / math.sqrt(attention.head_dim)
    hidden_TS = torch.ones(T, T, dtype=torch.bool, device=x_BTC.device).triu(1)
    return logits_1HTS.masked_fill(hidden_TS, -math.inf).amax()
