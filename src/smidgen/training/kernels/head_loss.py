"""The output head and the mean cross entropy in one operator of PyTorch, on the processor, by ``head_loss.cpp``.

B sequences    T tokens    C hidden size    V vocabulary
"""

import ctypes
import functools

import torch
from torch import Tensor

from smidgen.errors import OutOfResources
from smidgen.training.kernels.loading import load_kernel


class _Problem(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("tokens", "hidden_size", "vocab_size")),
        *((name, ctypes.c_void_p) for name in ("x", "weight", "targets", "loss", "x_gradient", "weight_gradient")),
    )


@functools.cache
def library() -> ctypes.CDLL:
    """The kernel, loaded once for the process. Raises ``smidgen.native.library.Unavailable``."""
    return load_kernel("head_loss")


@torch.library.custom_op("smidgen::head_loss", mutates_args=())
def head_loss(x_BTC: Tensor, weight_VC: Tensor, targets_BT: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean cross entropy in nats of the logits ``x_BTC @ weight_VC.T``, and its gradients for both of these.

    ``x_BTC`` is bfloat16 and ``weight_VC`` float32; so are their gradients, which cost less now than later.
    """
    # Addresses carry no types, and the kernel takes neither other formats nor steps between numbers.
    assert x_BTC.dtype == torch.bfloat16
    assert weight_VC.dtype == torch.float32
    assert weight_VC.is_contiguous()
    assert targets_BT.dtype == torch.int64
    x_BTC, targets_BT = x_BTC.contiguous(), targets_BT.contiguous()
    loss, x_gradient_BTC, weight_gradient_VC = _results(x_BTC, weight_VC)
    problem = _Problem(
        tokens=targets_BT.numel(),
        hidden_size=weight_VC.shape[1],
        vocab_size=weight_VC.shape[0],
        x=x_BTC.data_ptr(),
        weight=weight_VC.data_ptr(),
        targets=targets_BT.data_ptr(),
        loss=loss.data_ptr(),
        x_gradient=x_gradient_BTC.data_ptr(),
        weight_gradient=weight_gradient_VC.data_ptr(),
    )
    if library().head_loss(ctypes.byref(problem), torch.get_num_threads()):
        raise OutOfResources("the output head ran out of memory; a smaller training.micro_batch_size helps")
    return loss, x_gradient_BTC, weight_gradient_VC


def _results(x_BTC: Tensor, weight_VC: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return weight_VC.new_empty(()), x_BTC.new_empty(x_BTC.shape), weight_VC.new_empty(weight_VC.shape)


@head_loss.register_fake
def _(x_BTC, weight_VC, targets_BT):
    return _results(x_BTC, weight_VC)


def _remember(ctx, inputs, output) -> None:
    ctx.save_for_backward(*output[1:])
    ctx.set_materialize_grads(False)


def _gradient(ctx, loss_gradient, *_):
    x_gradient_BTC, weight_gradient_VC = ctx.saved_tensors
    return loss_gradient * x_gradient_BTC, loss_gradient * weight_gradient_VC, None


head_loss.register_autograd(_gradient, setup_context=_remember)
