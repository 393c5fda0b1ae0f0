"""Root-mean-square norms and their gradients on the processor as operators of PyTorch, computed by ``norm.cpp``.

M models, 1 but in a stack    N sequences, those of a model together    T tokens    P channels of a token
H heads, each with weights of its own    D channels of a head
"""

import ctypes
import functools

import torch
from torch import Tensor

from smidgen.errors import OutOfResources
from smidgen.training.kernels.loading import load_kernel

# Heads are whole vectors of the processor.
VECTOR = 16


class _Problem(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("models", "tokens", "channels", "heads", "narrow", "narrow_out")),
        ("eps", ctypes.c_float),
        *(
            (name, ctypes.c_void_p)
            for name in ("x", "weight", "out", "out_gradient", "x_gradient", "weight_gradient")
        ),
    )  # fmt: skip


@functools.cache
def library(head_dim: int) -> ctypes.CDLL:
    """The kernel for heads of so many channels, loaded once for the process.

    Raises ``smidgen.native.library.Unavailable``.
    """
    return load_kernel("norm", f"-DHEAD_DIM={head_dim}")


@torch.library.custom_op("smidgen::norm", mutates_args=())
def norm(x_NTP: Tensor, weight_MHD: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
    """The first H heads of every token as ``model.norm.RMSNorm`` gives them, and what is behind them as it is.

    In ``dtype``: that of ``x_NTP``, float32 or bfloat16, or bfloat16 of float32. Sums and weights are float32.
    """
    x_NTP, weight_MHD = x_NTP.contiguous(), weight_MHD.contiguous()
    out_NTP = torch.empty_like(x_NTP, dtype=dtype)
    _call("norm_forward", eps, dtype, x=x_NTP, weight=weight_MHD, out=out_NTP)
    return out_NTP


@torch.library.custom_op("smidgen::norm_backward", mutates_args=())
def norm_backward(out_gradient_NTP: Tensor, x_NTP: Tensor, weight_MHD: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Gradients of the input, in its format, and of the weights, in float32."""
    x_NTP, weight_MHD = x_NTP.contiguous(), weight_MHD.contiguous()
    x_gradient_NTP, weight_gradient_MHD = torch.empty_like(x_NTP), torch.empty_like(weight_MHD)
    _call("norm_backward", eps, out_gradient_NTP.dtype, x=x_NTP, weight=weight_MHD,
          out_gradient=out_gradient_NTP.contiguous(), x_gradient=x_gradient_NTP,
          weight_gradient=weight_gradient_MHD)  # fmt: skip
    return x_gradient_NTP, weight_gradient_MHD


def _call(name: str, eps: float, dtype: torch.dtype, **tensors: Tensor) -> None:
    # Addresses carry no types, and the kernel widens nothing.
    x_NTP, weight_MHD = tensors["x"], tensors["weight"]
    assert x_NTP.dtype in (torch.float32, torch.bfloat16)
    assert dtype in (x_NTP.dtype, torch.bfloat16)
    assert weight_MHD.dtype == torch.float32
    assert x_NTP.shape[-1] % VECTOR == 0
    models, heads, head_dim = weight_MHD.shape
    channels = x_NTP.shape[-1]
    problem = _Problem(
        models=models,
        tokens=x_NTP.numel() // (models * channels),
        channels=channels,
        heads=heads,
        narrow=x_NTP.dtype == torch.bfloat16,
        narrow_out=dtype == torch.bfloat16,
        eps=eps,
        **{name: tensor.data_ptr() for name, tensor in tensors.items()},
    )
    if getattr(library(head_dim), name)(ctypes.byref(problem), torch.get_num_threads()):
        raise OutOfResources("a norm ran out of memory; a smaller training.micro_batch_size helps")


@norm.register_fake
def _(x_NTP, weight_MHD, eps, dtype):
    return x_NTP.new_empty(x_NTP.shape, dtype=dtype)


@norm_backward.register_fake
def _(out_gradient_NTP, x_NTP, weight_MHD, eps):
    return x_NTP.new_empty(x_NTP.shape), weight_MHD.new_empty(weight_MHD.shape)


def _remember(ctx, inputs, output) -> None:
    *tensors, ctx.eps, _ = inputs
    ctx.save_for_backward(*tensors)


def _gradient(ctx, out_gradient_NTP):
    return *norm_backward(out_gradient_NTP, *ctx.saved_tensors, ctx.eps), None, None


norm.register_autograd(_gradient, setup_context=_remember)
