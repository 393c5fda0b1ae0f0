"""How rotary positions (arXiv:2104.09864) divide a context: the wavelengths of the pairs of channels that turn."""

import math

from smidgen.design.shape import Shape


def rotating_pairs(shape: Shape) -> int:
    return shape.rotary_dim // 2


def wavelength(shape: Shape, pair: int) -> float:
    """Tokens in which a pair of channels turns once; pair 0 is the fastest."""
    return 2 * math.pi * shape.rope_theta ** (2 * pair / shape.rotary_dim)


def pairs_that_turn(shape: Shape) -> int:
    """Pairs that turn at least once within the context."""
    return sum(wavelength(shape, pair) <= shape.context_length for pair in range(rotating_pairs(shape)))


def theta_for(shape: Shape, pair: int) -> float:
    """The theta with which this pair (not the first, which has none) turns exactly once within the context."""
    return (shape.context_length / (2 * math.pi)) ** (shape.rotary_dim / (2 * pair))
