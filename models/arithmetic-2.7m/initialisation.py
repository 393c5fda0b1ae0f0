"""Initial weights, a pure function of the configuration and a seed."""

import math

import torch
from torch import nn

from .decoder import Decoder

# The two projections that write into the residual stream.
RESIDUAL_PROJECTIONS = ("self_attn.o_proj.weight", "mlp.down_proj.weight")


@torch.no_grad()
def initialise(decoder: Decoder, seed: int) -> None:
    """Draw all weights anew: normal with ``initializer_range``, biases 0, norms 1.

    Projections into the residual stream are scaled by 1 / sqrt(2 x layers), so that its variance does not grow
    with depth (GPT-2, section 2.3 of "Language Models are Unsupervised Multitask Learners").
    """
    generator = torch.Generator().manual_seed(seed)
    std = decoder.config.initializer_range
    residual_std = std / math.sqrt(2 * decoder.config.num_layers)
    for name, parameter in decoder.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.ndim == 1:
            nn.init.ones_(parameter)
        else:
            scale = residual_std if name.endswith(RESIDUAL_PROJECTIONS) else std
            drawn = torch.empty(parameter.shape).normal_(0.0, scale, generator=generator)
            parameter.copy_(drawn)
