"""Several decoders of one design as one: every weight has the models as its first axis, every product is batched.

M models    B sequences of a model    N = M x B sequences, those of a model together    T tokens    L = B x T tokens
C channels in    P channels out    V rows of a table
"""

from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smidgen.model.decoder import Decoder, softcapped
from smidgen.model.norm import RMSNorm


class StackedDecoder(Decoder):
    """A decoder of N sequences, (N, T) ids -> (N, T, C), whose part m belongs to the model m of ``decoders``.

    The weights move here: those of ``decoders`` become views of these, so that a change of one is a change of both,
    and nothing is there twice. What no weight is needed for is as in ``Decoder``, to the line.
    """

    def __init__(self, decoders: Sequence[Decoder]) -> None:
        super().__init__(decoders[0].config)
        self.models = len(decoders)
        for name, module in list(self.named_modules()):
            make = STACKED.get(type(module))
            if make is not None:
                self.set_submodule(name, make([decoder.get_submodule(name) for decoder in decoders]))
        if self.digit_features is not None and decoders[0].digit_features is not None:
            self.digit_features.class_V = decoders[0].digit_features.class_V
        self._parameters_of_each = [
            (stacked, [decoder.get_parameter(name) for decoder in decoders])
            for name, stacked in self.named_parameters()
        ]
        for stacked, parameters in self._parameters_of_each:
            for parameter, part in zip(parameters, _parts(stacked.detach(), parameters), strict=True):
                parameter.data = part

    def logits(self, x_NTC: Tensor) -> Tensor:
        """Scores of every token of the vocabulary: (N, T, C) -> (N, T, V)."""
        return softcapped(stacked_product(x_NTC, self.head_weight), self.config.logit_softcap)

    def hand_out_gradients(self) -> None:
        """Give every weight of the models its part of the gradient, as a view."""
        for stacked, parameters in self._parameters_of_each:
            assert stacked.grad is not None
            for parameter, part in zip(parameters, _parts(stacked.grad, parameters), strict=True):
                parameter.grad = part

    def of_each(self, x_NTC: Tensor) -> Tensor:
        """Sequences with the models as an axis of their own: (N, ...) -> (M, B, ...)."""
        return x_NTC.unflatten(0, (self.models, -1))


class StackedLinear(nn.Module):
    """(N, T, C) -> (N, T, P), each model by its own weight."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.out_features = layers[0].out_features
        self.weight = _stacked(layer.weight for layer in layers)
        self.bias = None if layers[0].bias is None else _stacked(layer.bias for layer in layers)

    def forward(self, x_NTC: Tensor) -> Tensor:
        return stacked_product(x_NTC, self.weight, self.bias)


class StackedEmbedding(nn.Module):
    """(N, T) ids -> (N, T, C), each model from its own table, all in one gather."""

    def __init__(self, tables: Sequence[nn.Embedding]) -> None:
        super().__init__()
        self.weight = _stacked(table.weight for table in tables)

    def forward(self, ids_NT: Tensor) -> Tensor:
        M, V, _ = self.weight.shape
        first_row_M11 = torch.arange(0, M * V, V, device=ids_NT.device)[:, None, None]
        return F.embedding((ids_NT.unflatten(0, (M, -1)) + first_row_M11).flatten(0, 1), self.weight.flatten(0, 1))


class StackedNorm(RMSNorm):
    """(N, T, C) -> (N, T, C), each model with its own weight, which has the axes (M, 1, 1, C)."""

    def __init__(self, norms: Sequence[RMSNorm]) -> None:
        super().__init__(norms[0].weight.numel(), norms[0].eps)
        self.weight = _stacked(norm.weight[None, None] for norm in norms)

    def forward(self, x_NTC: Tensor) -> Tensor:
        return super().forward(x_NTC.unflatten(0, (len(self.weight), -1))).flatten(0, 1)


STACKED: dict[type, Callable] = {nn.Linear: StackedLinear, nn.Embedding: StackedEmbedding, RMSNorm: StackedNorm}


def stacked_product(x_NTC: Tensor, weight_MPC: Tensor, bias_MP: Tensor | None = None) -> Tensor:
    """What ``F.linear`` is for one model: (N, T, C) -> (N, T, P)."""
    N, T, C = x_NTC.shape
    M, P, _ = weight_MPC.shape
    x_MLC, weight_MCP = x_NTC.reshape(M, -1, C), weight_MPC.mT
    out_MLP = torch.bmm(x_MLC, weight_MCP) if bias_MP is None else torch.baddbmm(bias_MP[:, None], x_MLC, weight_MCP)
    return out_MLP.view(N, T, P)


def _stacked(tensors: Iterable[Tensor]) -> nn.Parameter:
    return nn.Parameter(torch.stack([tensor.detach() for tensor in tensors]))


def _parts(stacked: Tensor, parameters: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return stacked.view(len(parameters), *parameters[0].shape).unbind()
