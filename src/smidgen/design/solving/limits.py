"""Constraints on what a shape costs when it runs: its cache, and its speed in training."""

import numpy as np

from smidgen.design.flops import flops_per_token
from smidgen.design.hardware import hardware_named, training_tokens_per_second
from smidgen.design.memory import inference_memory
from smidgen.design.shape import Shape
from smidgen.design.solving.columns import Columns, Integers
from smidgen.design.solving.constraints import Constraints
from smidgen.design.solving.laws import Column


def cache_bytes(shapes: Columns, constraints: Constraints) -> Integers:
    """The cache of one full context in bfloat16."""
    return np.asarray(inference_memory(_running(shapes, constraints))["kv_cache_bytes"])


def training_flops(shapes: Columns, constraints: Constraints) -> Integers:
    """Operations of training on one token at a full context."""
    return np.asarray(flops_per_token(_running(shapes, constraints))["training"])


def training_speed(shapes: Columns, constraints: Constraints) -> Column:
    """Tokens per second on the constraints' hardware."""
    hardware = hardware_named(constraints.hardware)
    return np.asarray(training_tokens_per_second(_running(shapes, constraints), hardware))


def within_limits(shapes: Columns, constraints: Constraints) -> Columns:
    """The shapes whose cache and speed are allowed."""
    if constraints.kv_bytes is not None:
        shapes = shapes.taken(cache_bytes(shapes, constraints) <= constraints.kv_bytes)
    if constraints.tokens_per_second is not None:
        shapes = shapes.taken(training_speed(shapes, constraints) >= constraints.tokens_per_second)
    return shapes


def _running(shapes: Columns, constraints: Constraints) -> Shape:
    return shapes.shapes(tied=constraints.tie_embeddings, context_length=constraints.context_length)
