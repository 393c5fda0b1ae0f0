"""Causal attention and its gradients on the processor as operators of PyTorch, computed by ``attention.cpp``.

B sequences    T tokens    P channels of queries, keys and values together    Q of the queries    H query heads
R half the channels of a head
"""

import ctypes
import functools

import torch
from torch import Tensor

from smidgen.errors import OutOfResources
from smidgen.training.kernels.loading import load_kernel

_Int, _Pointer = ctypes.c_int32, ctypes.c_void_p


class _Problem(ctypes.Structure):
    _fields_ = (
        *(
            (name, _Int)
            for name in (
                "batch", "tokens", "heads", "kv_heads", "bfloat16", "products", "xsa",
            )
        ),
        *((name, _Pointer) for name in ("projected", "cos", "sin")),
        ("rotation_stride", ctypes.c_int64),
        *(
            (name, _Pointer)
            for name in ("first", "out", "log_sum", "share", "out_gradient", "projected_gradient")
        ),
    )  # fmt: skip


@functools.cache
def library(head_dim: int) -> ctypes.CDLL:
    """The kernel for one size of heads, loaded once for the process.

    Raises ``smidgen.native.library.Unavailable``.
    """
    return load_kernel("attention", f"-DHEAD_DIM={head_dim}")


@torch.library.custom_op("smidgen::causal_attention", mutates_args=())
def causal_attention(
    projected_BTP: Tensor,
    cos_BTR: Tensor,
    sin_BTR: Tensor,
    first_BT: Tensor | None,
    heads: int,
    kv_heads: int,
    xsa: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """What every query head reads, (B, T, Q), and two (B, H, T) that the gradient needs.

    ``projected_BTP`` holds queries, keys and values before rotation, in float32 or bfloat16. Rotations are one for
    each token, (1, T, R), or one for each sequence too. ``first_BT`` (int32) is the first token that a token reads;
    None stands for 0. With ``xsa`` every output loses its projection on the token's own value.
    """
    B, T, P = projected_BTP.shape
    head_dim = P // (heads + 2 * kv_heads)
    projected_BTP = projected_BTP.contiguous()
    out_BTQ = projected_BTP.new_empty(B, T, heads * head_dim)
    log_sum_BHT, share_BHT = (cos_BTR.new_empty(B, heads, T) for _ in range(2))
    _call("attention_forward", projected_BTP, cos_BTR, sin_BTR, first_BT, heads, kv_heads, xsa,
          out=out_BTQ, log_sum=log_sum_BHT, share=share_BHT)  # fmt: skip
    return out_BTQ, log_sum_BHT, share_BHT


@torch.library.custom_op("smidgen::causal_attention_backward", mutates_args=())
def causal_attention_backward(
    out_gradient_BTQ: Tensor,
    projected_BTP: Tensor,
    cos_BTR: Tensor,
    sin_BTR: Tensor,
    first_BT: Tensor | None,
    out_BTQ: Tensor,
    log_sum_BHT: Tensor,
    share_BHT: Tensor,
    heads: int,
    kv_heads: int,
    xsa: bool,
) -> Tensor:
    """The gradient of ``projected_BTP``."""
    projected_BTP, out_gradient_BTQ = projected_BTP.contiguous(), out_gradient_BTQ.contiguous()
    gradient_BTP = torch.empty_like(projected_BTP)
    _call("attention_backward", projected_BTP, cos_BTR, sin_BTR, first_BT, heads, kv_heads, xsa,
          out=out_BTQ, log_sum=log_sum_BHT, share=share_BHT, out_gradient=out_gradient_BTQ,
          projected_gradient=gradient_BTP)  # fmt: skip
    return gradient_BTP


def _call(
    name: str,
    projected_BTP: Tensor,
    cos_BTR: Tensor,
    sin_BTR: Tensor,
    first_BT: Tensor | None,
    heads: int,
    kv_heads: int,
    xsa: bool,
    **tensors: Tensor,
) -> None:
    # Addresses carry no types.
    assert projected_BTP.dtype in (torch.float32, torch.bfloat16)
    assert cos_BTR.dtype == sin_BTR.dtype == torch.float32
    assert first_BT is None or first_BT.dtype == torch.int32
    B, T, P = projected_BTP.shape
    cos_BTR, sin_BTR = cos_BTR.contiguous(), sin_BTR.contiguous()
    first_BT = None if first_BT is None else first_BT.contiguous()
    bfloat16 = projected_BTP.dtype == torch.bfloat16
    problem = _Problem(
        batch=B,
        tokens=T,
        heads=heads,
        kv_heads=kv_heads,
        bfloat16=bfloat16,
        products=bfloat16,
        xsa=xsa,
        projected=projected_BTP.data_ptr(),
        cos=cos_BTR.data_ptr(),
        sin=sin_BTR.data_ptr(),
        rotation_stride=0 if cos_BTR.shape[0] == 1 else cos_BTR[0].numel(),
        first=None if first_BT is None else first_BT.data_ptr(),
        **{name: tensor.data_ptr() for name, tensor in tensors.items()},
    )
    if getattr(library(P // (heads + 2 * kv_heads)), name)(ctypes.byref(problem), torch.get_num_threads()):
        raise OutOfResources("attention ran out of memory; a smaller training.micro_batch_size needs less")


@causal_attention.register_fake
def _(projected_BTP, cos_BTR, sin_BTR, first_BT, heads, kv_heads, xsa):
    B, T, P = projected_BTP.shape
    head_dim = P // (heads + 2 * kv_heads)
    row_shape = (B, heads, T)
    return projected_BTP.new_empty(B, T, heads * head_dim), cos_BTR.new_empty(row_shape), cos_BTR.new_empty(row_shape)


@causal_attention_backward.register_fake
def _(out_gradient_BTQ, projected_BTP, *others):
    return projected_BTP.new_empty(projected_BTP.shape)


def _remember(ctx, inputs, output) -> None:
    projected_BTP, cos_BTR, sin_BTR, first_BT, *ctx.design = inputs
    ctx.save_for_backward(projected_BTP, cos_BTR, sin_BTR, first_BT, *output)
    ctx.set_materialize_grads(False)


def _gradient(ctx, out_gradient_BTQ, *_):
    gradient_BTP = causal_attention_backward(out_gradient_BTQ, *ctx.saved_tensors, *ctx.design)
    return gradient_BTP, *(None for _ in range(3 + len(ctx.design)))


causal_attention.register_autograd(_gradient, setup_context=_remember)
