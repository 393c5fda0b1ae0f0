"""The C++ decoder ``decoder.cpp`` behind a Python call: weights packed once, forests scored in any precision.

N outputs    K inputs    R rows    C hidden size
"""

import ctypes
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from smidgen.errors import OutOfResources
from smidgen.evaluation.scoring.embedded import embedded_rows
from smidgen.evaluation.scoring.forest import Forest, Query
from smidgen.evaluation.scoring.precision import EXACT, Precision
from smidgen.model.block import Block
from smidgen.model.decoder import Decoder
from smidgen.model.rope import rotary_angles
from smidgen.native.library import load_library

SOURCE = Path(__file__).with_name("decoder.cpp")

# Fields of a forest that the C++ reads as they are.
FOREST_ARRAYS = (
    "block_segments", "segment_start", "segment_length", "segment_parent", "position", "segment_queries", "query_row",
    "query_targets", "target_token",
)  # fmt: skip

_Int, _Pointer = ctypes.c_int32, ctypes.c_void_p


class _Matrix(ctypes.Structure):
    _fields_ = (
        *((name, _Pointer) for name in ("packed", "bias", "scales", "offsets")),
        *((name, _Int) for name in ("in", "out")),
    )


class _Layer(ctypes.Structure):
    _fields_ = (
        *((name, _Pointer) for name in ("input_norm", "post_attention_norm", "q_norm", "k_norm")),
        *((name, _Matrix) for name in ("qkv", "o", "gate", "up", "down")),
    )


class _Model(ctypes.Structure):
    _fields_ = (
        *(
            (name, _Int)
            for name in (
                "hidden", "layers", "heads", "kv_heads", "head_dim", "intermediate", "vocab", "bfloat16", "xsa",
            )
        ),
        *((name, ctypes.c_float) for name in ("eps", "softcap")),
        *((name, _Pointer) for name in ("cos", "sin", "final_norm")),
        ("head", _Matrix),
        ("layer", ctypes.POINTER(_Layer)),
    )  # fmt: skip


class _Work(ctypes.Structure):
    _fields_ = (
        ("blocks", _Int),
        *(
            (name, _Pointer)
            for name in (
                "block_segments", "segment_start", "segment_length", "segment_parent", "position", "embedded",
                "segment_queries", "query_row", "query_targets", "target_token", "log_probability", "is_best",
            )
        ),
    )  # fmt: skip


class NativeScorer:
    """Scores forests on the processor.

    "bfloat16" rounds what enters each product; sums stay in float32. "int8" has a scale for each token and each
    output; attention is then in bfloat16. What the processor or the design does not allow is computed in float32:
    ``precision`` says so. ``options`` go to the compiler.
    Raises ``smidgen.native.library.Unavailable`` where the C++ cannot be compiled.
    """

    def __init__(
        self,
        decoder: Decoder,
        *,
        cache: Path,
        precision: Precision = EXACT,
        threads: int | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self._library = load_library(SOURCE, cache, options=options)
        self._panel = self._library.panel_width()
        self.precision = precision if supports(self._library, decoder, precision) else EXACT
        self._decoder = decoder
        self._threads = threads or torch.get_num_threads()
        # Whatever the structures point into must live as long as they do.
        self._kept: list[np.ndarray] = []

    def score(self, queries: Sequence[Query], forest: Forest) -> tuple[np.ndarray, np.ndarray]:
        """Log-probability of every target in nats, and whether it is the most probable token."""
        positions = int(forest.position.max()) + 1
        cos_1TR, sin_1TR = rotary_angles(torch.arange(positions)[None], *self._rotation)
        embedded_RC = embedded_rows(self._decoder, list(queries), forest).float().contiguous()
        log_probability = np.empty(len(forest.target_token), dtype=np.float32)
        is_best = np.empty(len(log_probability), dtype=np.uint8)
        self._model.cos, self._model.sin = cos_1TR.data_ptr(), sin_1TR.data_ptr()
        arrays = {name: getattr(forest, name).ctypes.data for name in FOREST_ARRAYS}
        work = _Work(
            blocks=forest.blocks,
            embedded=embedded_RC.data_ptr(),
            log_probability=log_probability.ctypes.data,
            is_best=is_best.ctypes.data,
            **arrays,
        )
        if self._library.score(ctypes.byref(self._model), ctypes.byref(work), self._threads):
            raise OutOfResources("scoring ran out of memory; score fewer tasks at once")
        return log_probability, is_best.astype(bool)

    @property
    def _rotation(self) -> tuple[int, float]:
        return self._decoder.config.head_dim, self._decoder.config.rope_theta

    @cached_property
    def _model(self) -> _Model:
        """Packed when first needed."""
        decoder, config = self._decoder, self._decoder.config
        layers = (_Layer * config.num_layers)(*(self._layer(cast(Block, block)) for block in decoder.layers))
        return _Model(
            hidden=config.hidden_size,
            layers=config.num_layers,
            heads=config.num_heads,
            kv_heads=config.num_kv_heads,
            head_dim=config.head_dim,
            intermediate=config.intermediate_size,
            vocab=config.vocab_size,
            bfloat16=self.precision != EXACT,
            xsa=config.xsa,
            eps=config.rms_norm_eps,
            softcap=config.logit_softcap,
            final_norm=self._address(decoder.norm.weight),
            head=self._matrix(decoder.head_weight, None),
            layer=layers,
        )

    def _layer(self, block: Block) -> _Layer:
        attention, feed_forward = block.self_attn, block.mlp
        qkv = (attention.q_proj, attention.k_proj, attention.v_proj)
        biases = tuple(linear.bias for linear in qkv if linear.bias is not None)
        return _Layer(
            input_norm=self._address(block.input_layernorm.weight),
            post_attention_norm=self._address(block.post_attention_layernorm.weight),
            q_norm=None if attention.q_norm is None else self._address(attention.q_norm.weight),
            k_norm=None if attention.k_norm is None else self._address(attention.k_norm.weight),
            qkv=self._matrix(
                torch.cat(tuple(linear.weight for linear in qkv)), torch.cat(biases) if biases else None
            ),
            o=self._matrix(attention.o_proj.weight, attention.o_proj.bias),
            **{
                name: self._matrix(linear.weight, linear.bias)
                for name, linear in (
                    ("gate", feed_forward.gate_proj),
                    ("up", feed_forward.up_proj),
                    ("down", feed_forward.down_proj),
                )
            },
        )

    def _matrix_of_bytes(self, weight_NK: Tensor, bias_N: Tensor | None) -> _Matrix:
        """Weights in 255 steps, of a size of its own for each output."""
        N, K = weight_NK.shape
        padding = -N % self._panel
        weights = np.pad(weight_NK.detach().float().numpy(), ((0, padding), (0, 0)))
        scales = np.maximum(np.abs(weights).max(axis=1), 1e-30).astype(np.float32) / 127
        steps = np.rint(weights / scales[:, None]).astype(np.int8)
        packed = steps.reshape(-1, self._panel, K // 4, 4).swapaxes(1, 2)
        offsets = 128 * steps.sum(axis=1, dtype=np.int32).astype(np.float32)
        bias = None if bias_N is None else self._held(np.pad(bias_N.detach().float().numpy(), (0, padding)))
        return _Matrix(self._held(packed), bias, self._held(scales), self._held(offsets), K, N)

    def _matrix(self, weight_NK: Tensor, bias_N: Tensor | None) -> _Matrix:
        """Panels of ``panel`` outputs, inputs in order; the last panel is filled with zeros."""
        if self.precision == "int8":
            return self._matrix_of_bytes(weight_NK, bias_N)
        N, K = weight_NK.shape
        padding = -N % self._panel
        panels = np.pad(weight_NK.detach().float().numpy(), ((0, padding), (0, 0))).reshape(-1, self._panel, K)
        if self.precision != EXACT:
            # numpy has no bfloat16: its bits move as integers.
            bits = torch.from_numpy(panels).bfloat16().view(torch.int16).numpy()
            packed: np.ndarray = bits.reshape(-1, self._panel, K // 2, 2).swapaxes(1, 2)
        else:
            packed = panels.swapaxes(1, 2)
        bias = None if bias_N is None else self._held(np.pad(bias_N.detach().float().numpy(), (0, padding)))
        return _Matrix(self._held(packed), bias, None, None, K, N)

    def _address(self, tensor: Tensor) -> int:
        return self._held(tensor.detach().float().numpy())

    def _held(self, values: np.ndarray) -> int:
        contiguous = np.ascontiguousarray(values)
        self._kept.append(contiguous)
        return contiguous.ctypes.data


def supports(library: ctypes.CDLL, decoder: Decoder, precision: Precision) -> bool:
    """Whether the processor multiplies such numbers, faster than more exact ones, and the design's rows allow it."""
    config = decoder.config
    widths = (config.hidden_size, config.num_heads * config.head_dim, config.intermediate_size)
    if precision == "int8":
        return bool(library.has_int8()) and not library.has_tiles() and all(width % 16 == 0 for width in widths)
    if precision == "bfloat16":
        return bool(library.has_bfloat16()) and all(width % 2 == 0 for width in (*widths, config.head_dim))
    return True
