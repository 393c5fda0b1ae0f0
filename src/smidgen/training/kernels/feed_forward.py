"""The gated feed-forward layer and its gradients on the processor as operators of PyTorch, by ``feed_forward.cpp``.

B sequences    T tokens    C hidden size    I intermediate size
"""

import ctypes
import functools

import torch
from torch import Tensor

from smidgen.errors import OutOfResources
from smidgen.training.kernels.loading import load_kernel


class _Problem(ctypes.Structure):
    _fields_ = (
        ("tokens", ctypes.c_int32),
        *(
            (name, ctypes.c_void_p)
            for name in (
                "x", "gate_weight", "up_weight", "down_weight", "out", "gate", "up",
                "out_gradient", "x_gradient", "gate_gradient", "up_gradient", "down_gradient",
            )
        ),
    )  # fmt: skip


@functools.cache
def library(hidden_size: int, intermediate_size: int) -> ctypes.CDLL:
    """The kernel for one shape, loaded once for the process. Raises ``smidgen.native.library.Unavailable``."""
    sizes = (f"-DHIDDEN_SIZE={hidden_size}", f"-DINTERMEDIATE_SIZE={intermediate_size}")
    return load_kernel("feed_forward", *sizes)


@torch.library.custom_op("smidgen::feed_forward", mutates_args=())
def feed_forward(
    x_BTC: Tensor, gate_weight_IC: Tensor, up_weight_IC: Tensor, down_weight_CI: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """``down(silu(gate x) * (up x))`` in bfloat16 for bfloat16 ``x_BTC`` and float32 weights, (B, T, C).

    The two (B, T, I) are what the gradient needs. Products are of bfloat16, sums and all else are float32.
    """
    x_BTC = x_BTC.contiguous()
    out_BTC, gate_BTI, up_BTI = _results(x_BTC, gate_weight_IC)
    _call("feed_forward", x=x_BTC, gate_weight=gate_weight_IC, up_weight=up_weight_IC, down_weight=down_weight_CI,
          out=out_BTC, gate=gate_BTI, up=up_BTI)  # fmt: skip
    return out_BTC, gate_BTI, up_BTI


@torch.library.custom_op("smidgen::feed_forward_backward", mutates_args=())
def feed_forward_backward(
    out_gradient_BTC: Tensor,
    x_BTC: Tensor,
    gate_weight_IC: Tensor,
    up_weight_IC: Tensor,
    down_weight_CI: Tensor,
    gate_BTI: Tensor,
    up_BTI: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of the input, in bfloat16, and of the three weights, in float32."""
    x_BTC, out_gradient_BTC = x_BTC.contiguous(), out_gradient_BTC.contiguous()
    gradients = _gradients(x_BTC, gate_weight_IC, up_weight_IC, down_weight_CI)
    _call("feed_forward_backward", x=x_BTC, gate_weight=gate_weight_IC, up_weight=up_weight_IC,
          down_weight=down_weight_CI, gate=gate_BTI, up=up_BTI, out_gradient=out_gradient_BTC,
          x_gradient=gradients[0], gate_gradient=gradients[1], up_gradient=gradients[2],
          down_gradient=gradients[3])  # fmt: skip
    return gradients


def _results(x_BTC: Tensor, gate_weight_IC: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    inner_shape = (*x_BTC.shape[:-1], gate_weight_IC.shape[0])
    return x_BTC.new_empty(x_BTC.shape), x_BTC.new_empty(inner_shape), x_BTC.new_empty(inner_shape)


def _gradients(
    x_BTC: Tensor, gate_weight_IC: Tensor, up_weight_IC: Tensor, down_weight_CI: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        x_BTC.new_empty(x_BTC.shape),
        gate_weight_IC.new_empty(gate_weight_IC.shape),
        up_weight_IC.new_empty(up_weight_IC.shape),
        down_weight_CI.new_empty(down_weight_CI.shape),
    )


def _call(name: str, **tensors: Tensor) -> None:
    # Addresses carry no types, and the kernel takes neither other formats nor steps between numbers.
    weights = (tensors[f"{name}_weight"] for name in ("gate", "up", "down"))
    assert tensors["x"].dtype == torch.bfloat16
    assert all(weight.dtype == torch.float32 and weight.is_contiguous() for weight in weights)
    *_, hidden_size = tensors["x"].shape
    problem = _Problem(
        tokens=tensors["x"].numel() // hidden_size, **{name: tensor.data_ptr() for name, tensor in tensors.items()}
    )
    kernel = library(hidden_size, tensors["gate"].shape[-1])
    if getattr(kernel, name)(ctypes.byref(problem), torch.get_num_threads()):
        raise OutOfResources("the feed-forward layer ran out of memory; a smaller training.micro_batch_size helps")


@feed_forward.register_fake
def _(x_BTC, gate_weight_IC, up_weight_IC, down_weight_CI):
    return _results(x_BTC, gate_weight_IC)


@feed_forward_backward.register_fake
def _(out_gradient_BTC, x_BTC, gate_weight_IC, up_weight_IC, down_weight_CI, gate_BTI, up_BTI):
    return _gradients(x_BTC, gate_weight_IC, up_weight_IC, down_weight_CI)


def _remember(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs, *output[1:])


def _gradient(ctx, out_gradient_BTC, *_):
    return feed_forward_backward(out_gradient_BTC, *ctx.saved_tensors)


feed_forward.register_autograd(_gradient, setup_context=_remember)
