"""Every shape that spends a budget, enumerated.

Chosen are vocabulary, width, depth and heads; the width of the feed-forward network is then what the rest of the
budget pays for.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from smidgen.design.solving.columns import Columns, Integers, joined
from smidgen.design.solving.constraints import GGUF_ROW, SMALLEST_VOCABULARY, Constraints

# Of the budget, so much may stay unspent.
MOST_UNSPENT = 0.01
# Widths of published models of this size are multiples of 16, feed-forward widths (but for the 516 inferred for
# Ant-5M) and head sizes of 8.
WIDTH_STEP, FEED_FORWARD_STEP, HEAD_STEP = 16, 8, 8
SMALLEST_WIDTH, LARGEST_WIDTH, COARSE_WIDTH, COARSE_WIDTH_STEP = 32, 8192, 1024, 128
# Models of fewer than two layers leave the trend of all others (Kaplan et al. 2020, arXiv:2001.08361, figure 6).
FEWEST_LAYERS, MOST_LAYERS = 2, 64
# Head sizes and groups beyond these are not considered.
SMALLEST_HEAD, LARGEST_HEAD, LARGEST_GROUP = 16, 128, 8
# Feed-forward width over width: 8/3 in theory, 2.5 to 4 in published models of this size.
NARROWEST_RATIO, WIDEST_RATIO = 1.0, 8.0
# Vocabularies are tried at round sizes. Where few shapes would meet the budget, because widths are few or a step is
# many of the parameters, in finer steps.
VOCABULARY_STEP, FINE_VOCABULARY_STEP, LARGEST_TRIED_VOCABULARY = 512, 64, 65_536
FEW_WIDTHS_STEP, SMALL_BUDGET = 64, 2_000_000


def lowest_total(budget: int) -> int:
    """The fewest parameters that still count as spending the budget."""
    return budget - int(budget * MOST_UNSPENT)


def shapes_within(budget: int, constraints: Constraints) -> Columns:
    """All shapes of at most ``budget`` parameters and at least 99% of it that keep to the constraints on sizes.

    In an order that depends on the arguments alone. Cache and speed are not looked at here.
    """
    return joined([_of_width(int(width), budget, constraints) for width in _widths(budget, constraints)])


def _widths(budget: int, constraints: Constraints) -> Integers:
    step = np.lcm.reduce([WIDTH_STEP, constraints.multiple_of, GGUF_ROW if constraints.gguf else 1])
    fine = np.arange(SMALLEST_WIDTH, COARSE_WIDTH + 1, WIDTH_STEP)
    coarse = np.arange(COARSE_WIDTH + COARSE_WIDTH_STEP, LARGEST_WIDTH + 1, COARSE_WIDTH_STEP)
    widths = np.concatenate([fine, coarse])
    vocabulary = constraints.vocab_size or SMALLEST_VOCABULARY
    affordable = constraints.tables * vocabulary * widths < budget
    return widths[(widths % step == 0) & affordable].astype(np.int64)


def _of_width(width: int, budget: int, constraints: Constraints) -> Columns:
    heads = np.array(list(_heads(width, constraints)), dtype=np.int64).reshape(-1, 3)
    # The parameters depend on the channels of the keys alone, so of heads with equally many one is enough to fill.
    by_channels = {int(kv * size): number for number, (_, kv, size) in enumerate(heads)}
    layers = np.arange(FEWEST_LAYERS, MOST_LAYERS + 1, dtype=np.int64)
    axes = (_vocabularies(budget, width, constraints), layers, np.array([*by_channels.values()], dtype=np.int64))
    vocabulary, layers, choice = (axis.ravel() for axis in np.meshgrid(*axes, indexing="ij"))
    filled = _filled(_bare(width, vocabulary, layers, heads[choice]), budget, constraints)
    channels = filled.num_kv_heads * filled.head_dim
    return joined([_with_heads(filled.taken(channels == kv * size), all_, kv, size) for all_, kv, size in heads])


def _vocabularies(budget: int, width: int, constraints: Constraints) -> Integers:
    if constraints.vocab_size is not None:
        return np.array([constraints.vocab_size], dtype=np.int64)
    are_few = constraints.gguf or constraints.multiple_of >= FEW_WIDTHS_STEP or budget < SMALL_BUDGET
    step = np.lcm(FINE_VOCABULARY_STEP if are_few else VOCABULARY_STEP, constraints.multiple_of)
    largest = min(LARGEST_TRIED_VOCABULARY, budget // (constraints.tables * width))
    sizes = np.arange(step, largest + 1, step, dtype=np.int64)
    return sizes[sizes >= SMALLEST_VOCABULARY]


def _heads(width: int, constraints: Constraints) -> Iterator[tuple[int, int, int]]:
    """Numbers of heads and key-value heads, and the size of one; together the heads are as wide as the model."""
    for head_dim in range(SMALLEST_HEAD, min(LARGEST_HEAD, width) + 1, HEAD_STEP):
        heads, rest = divmod(width, head_dim)
        for kv_heads in range(-(-heads // LARGEST_GROUP), heads + 1):
            if rest == 0 and heads % kv_heads == 0 and kv_heads * head_dim % constraints.multiple_of == 0:
                yield heads, kv_heads, head_dim


def _bare(width: int, vocabulary: Integers, layers: Integers, heads: Integers) -> Columns:
    """Shapes that lack the feed-forward network."""
    return Columns(
        vocab_size=vocabulary,
        hidden_size=np.full_like(layers, width),
        num_layers=layers,
        num_heads=heads[:, 0],
        num_kv_heads=heads[:, 1],
        head_dim=heads[:, 2],
        intermediate_size=np.zeros_like(layers),
    )


def _filled(bare: Columns, budget: int, constraints: Constraints) -> Columns:
    """With the widest feed-forward network that the budget allows, where that spends it and is of a sane width."""
    one = replace(bare, intermediate_size=np.ones_like(bare.intermediate_size))
    without = bare.totals(tied=constraints.tie_embeddings)
    price = one.totals(tied=constraints.tie_embeddings) - without
    step = np.lcm.reduce([FEED_FORWARD_STEP, constraints.multiple_of, GGUF_ROW if constraints.gguf else 1])
    inner = (budget - without) // (price * step) * step
    spends = without + inner * price >= lowest_total(budget)
    is_sane = (inner >= NARROWEST_RATIO * bare.hidden_size) & (inner <= WIDEST_RATIO * bare.hidden_size)
    return replace(bare, intermediate_size=inner).taken(spends & is_sane & (inner > 0))


def _with_heads(filled: Columns, heads: int, kv_heads: int, head_dim: int) -> Columns:
    return replace(
        filled,
        num_heads=np.full_like(filled.num_heads, heads),
        num_kv_heads=np.full_like(filled.num_heads, kv_heads),
        head_dim=np.full_like(filled.num_heads, head_dim),
    )
