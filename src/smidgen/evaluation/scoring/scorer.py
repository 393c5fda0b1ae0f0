"""Which of the ways to score fits a decoder and this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import nn

from smidgen.evaluation.scoring.forest import Forest, Query
from smidgen.evaluation.scoring.forward_scorer import ForwardScorer
from smidgen.evaluation.scoring.native import NativeScorer
from smidgen.evaluation.scoring.precision import EXACT, ROUGH, Precision
from smidgen.evaluation.scoring.torch_scorer import TorchScorer
from smidgen.model.decoder import Decoder
from smidgen.native.library import Unavailable
from smidgen.native.processor import is_bfloat16_faster


class Scorer(Protocol):
    """Gives the log-probability of every target of a forest, and whether it is the most probable token."""

    # That of its products: as asked for, or exact where that is not to be had or is slower.
    precision: Precision

    def score(self, queries: Sequence[Query], forest: Forest) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Rows of a block, and tokens before sharing that are laid out and scored at a time."""

    block_rows: int
    chunk_rows: int


# Measured on two cores: from 192 to 576 rows a block the speed changes by less than 3% and trees are cut less often.
# A chunk takes about two seconds (5M parameters, float32), so that a stop is soon obeyed.
NATIVE_LAYOUT = Layout(block_rows=576, chunk_rows=65_536)
TORCH_LAYOUT = Layout(block_rows=256, chunk_rows=8_192)
# Assumed, not measured: enough blocks at a time to fill the device.
GPU_LAYOUT = Layout(block_rows=256, chunk_rows=131_072)


class Scoring(NamedTuple):
    """A scorer, how to feed it, and one sentence where a faster one is unavailable."""

    scorer: Scorer
    layout: Layout
    notice: str


def rough_scorings(decoder: nn.Module, *, cache: Path) -> list[Scoring]:
    """Those that are faster than float32 here, the roughest and fastest first."""
    on_cpu = next(decoder.parameters()).device.type == "cpu"
    fast = [each for each in ROUGH if each != "bfloat16" or not on_cpu or is_bfloat16_faster()]
    asked = ((each, scorer_for(decoder, cache=cache, precision=each)) for each in fast)
    return [scoring for precision, scoring in asked if scoring.scorer.precision == precision]


def scorer_for(decoder: nn.Module, *, cache: Path, precision: Precision = EXACT) -> Scoring:
    """The fastest scorer for the weights as they are now.

    A decoder that is not ours (``ForeignDecoder``) is scored by its forward pass alone.
    """
    device = next(decoder.parameters()).device
    on_cpu = device.type == "cpu"
    layout = TORCH_LAYOUT if on_cpu else GPU_LAYOUT
    # A T4 only emulates bfloat16, slower than float32.
    has_bfloat16 = not on_cpu and (device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False))
    with_torch = precision if precision == "bfloat16" and has_bfloat16 else EXACT
    if not isinstance(decoder, Decoder):
        return Scoring(ForwardScorer(decoder, precision=with_torch), layout, "")
    if not on_cpu:
        return Scoring(TorchScorer(decoder, precision=with_torch), layout, "")
    try:
        return Scoring(NativeScorer(decoder, cache=cache, precision=precision), NATIVE_LAYOUT, "")
    except Unavailable as error:
        return Scoring(TorchScorer(decoder), layout, f"scoring runs on PyTorch, about 4x slower: {error}")
