"""The decoder traced into one ONNX graph, which reads new tokens and hands on the keys and values of all.

Shapes:
    B batch    S tokens so far    P of them read before    T = S - P new    V vocabulary
    L layers    K key-value heads    D channels of a head    2 stands for keys and values
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.onnx import OnnxExporterError

from smidgen.errors import BadInput
from smidgen.model.decoder import Decoder
from smidgen.model.rope import rotary_frequencies

if TYPE_CHECKING:
    from onnx import ModelProto

# The first with RMSNormalization and Attention as single operators. A decoding step of GPT-S-5M's shape takes 1.2 to
# 1.3 times as long with opset 20, where both are spelled out (onnxruntime 1.31, 2026-11-21).
OPSET = 23
INPUT_NAMES = ("input_ids", "attention_mask", "past")
OUTPUT_NAMES = ("logits", "present")
# Of the example that is traced. They must differ, and a batch or a count of 1 would become a constant of the graph.
_ROWS, _PAST_TOKENS, _TOKENS = 2, 3, 8


class StackedCache:
    """A cache, as the decoder wants it, whose past is one tensor: an input of the graph instead of a state."""

    def __init__(self, past_L2BKPD: Tensor) -> None:
        self._past_L2BKPD = past_L2BKPD
        self._present: list[Tensor] = []

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self._past_L2BKPD.shape[-2]

    def update(self, k_BKTD: Tensor, v_BKTD: Tensor, layer_idx: int) -> tuple[Tensor, Tensor]:
        """Keys and values of all tokens, (B, K, S, D) each."""
        new_2BKTD = torch.stack((k_BKTD, v_BKTD))
        present_2BKSD = torch.cat((self._past_L2BKPD[layer_idx], new_2BKTD), dim=-2)
        self._present.append(present_2BKSD)
        return present_2BKSD[0], present_2BKSD[1]

    def present(self) -> Tensor:
        """What becomes the next call's past: (L, 2, B, K, S, D)."""
        return torch.stack(self._present)


class DecodingStep(nn.Module):
    """The decoder without a state of its own: what the graph computes."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, input_ids_BS: Tensor, attention_mask_BS: Tensor, past_L2BKPD: Tensor) -> tuple[Tensor, Tensor]:
        """Logits after each new token (B, T, V), and the present (L, 2, B, K, S, D).

        The ids are all so far, because digit features are derived from a whole line; new are those beyond the past.
        """
        cache = StackedCache(past_L2BKPD)
        S, P = input_ids_BS.shape[1], cache.get_seq_length()
        # Told that some are new, the exporter knows the lengths that come out: S - P, and S.
        torch._check(P < S)
        logits_BTV = self.decoder(
            input_ids_BS.narrow(1, P, S - P),
            history_BS=input_ids_BS,
            attention_mask_BS=attention_mask_BS,
            cache=cache,
        )
        return logits_BTV, cache.present()


def decoding_graph(decoder: Decoder, metadata: Mapping[str, str]) -> "ModelProto":
    """The graph with every axis but those of the design free, and the metadata in it.

    The same decoder gives the same bytes: nothing tells of the machine or the folder it was traced in. Raises
    ``BadInput`` where the installed torch cannot write it.
    """
    graph = _traced(decoder)
    _restore_frequencies(graph, decoder)
    _forget_origin(graph)
    for key, value in metadata.items():
        graph.metadata_props.add(key=key, value=value)
    return graph


def _traced(decoder: Decoder) -> "ModelProto":
    try:
        with _quiet_exporter():
            program = torch.onnx.export(
                DecodingStep(decoder),
                _example(decoder),
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes=_free_axes(),
                input_names=INPUT_NAMES,
                output_names=OUTPUT_NAMES,
                verbose=False,
            )
    except (OnnxExporterError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(
            f"torch {torch.__version__} cannot write ONNX of opset {OPSET} ({reason}); torch 2.13 is what was tested"
        ) from error
    assert program is not None
    return program.model_proto


def _example(decoder: Decoder) -> tuple[Tensor, Tensor, Tensor]:
    config = decoder.config
    ids_BS = torch.zeros(_ROWS, _TOKENS, dtype=torch.long)
    past_L2BKPD = torch.zeros(config.num_layers, 2, _ROWS, config.num_kv_heads, _PAST_TOKENS, config.head_dim)
    return ids_BS, torch.ones_like(ids_BS), past_L2BKPD


def _free_axes() -> tuple[dict[int, Dim], ...]:
    batch, tokens, past_tokens = Dim("batch"), Dim("tokens"), Dim("past_tokens")
    return {0: batch, 1: tokens}, {0: batch, 1: tokens}, {2: batch, 4: past_tokens}


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep back what the exporter says of itself: features torch will drop, and libraries it does without."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _restore_frequencies(graph: "ModelProto", decoder: Decoder) -> None:
    """Put torch's own rotary frequencies in the place of those that the exporter worked out with NumPy.

    They differ in the last bit, and angles grow with the position: over a context of 512 the logits were 2.1e-4 apart
    so, and are 6e-5 with torch's (GPT-S-5M's shape, fresh weights six times as large, logits up to 9).
    """
    from onnx import numpy_helper

    frequencies_R = rotary_frequencies(decoder.config.head_dim, decoder.config.rope_theta).numpy()
    for constant in graph.graph.initializer:
        if list(constant.dims) == list(frequencies_R.shape):
            stored_R = numpy_helper.to_array(constant)
            if stored_R.dtype == frequencies_R.dtype and np.allclose(stored_R, frequencies_R, rtol=1e-6, atol=0):
                constant.CopyFrom(numpy_helper.from_array(frequencies_R, constant.name))


def _forget_origin(graph: "ModelProto") -> None:
    """Drop what the tracer notes at every node: lines of our source with the paths they had here."""
    for part in (*graph.graph.node, *graph.graph.value_info, *graph.graph.input, *graph.graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    del graph.graph.metadata_props[:]
    del graph.metadata_props[:]
