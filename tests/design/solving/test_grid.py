"""The enumeration against a second one, written as plainly as can be."""

import pytest

from smidgen.design.parameters import count_parameters
from smidgen.design.solving.constraints import Constraints
from smidgen.design.solving.grid import lowest_total, shapes_within
from smidgen.model.config import ModelConfig


def plainly(budget, vocab_size, *, multiple_of=1, gguf=False, tied=True):
    """All shapes with heads of at most 128 that fill the model's width, in loops over plain numbers."""
    found = set()
    row = 256 if gguf else 1
    for width in range(32, 1025, 16):
        for layers in range(2, 65):
            for head_dim in range(16, min(128, width) + 1, 8):
                for kv_heads in range(1, width // head_dim + 1):
                    heads = width // head_dim
                    if width % head_dim or heads % kv_heads or heads // kv_heads > 8:
                        continue
                    if width % multiple_of or width % row or kv_heads * head_dim % multiple_of:
                        continue
                    without = (1 if tied else 2) * vocab_size * width + (2 * layers + 1) * width
                    without += layers * 2 * width * (width + kv_heads * head_dim)
                    inner = widest(budget - without, 3 * layers * width, multiple_of, row)
                    total = without + 3 * layers * width * inner
                    if width <= inner <= 8 * width and budget * 0.99 <= total <= budget:
                        found.add((vocab_size, width, layers, heads, kv_heads, head_dim, inner))
    return found


def widest(spare, price, multiple_of, row):
    steps = [inner for inner in range(8, max(9, spare // price + 1), 8) if inner % multiple_of == inner % row == 0]
    return steps[-1] if steps else 0


def enumerated(budget, constraints):
    shapes = shapes_within(budget, constraints)
    rows = [tuple(shapes.sizes_at(position).values()) for position in range(len(shapes))]
    assert len(set(rows)) == len(rows), "a shape comes twice"
    return set(rows)


@pytest.mark.parametrize(
    ("budget", "vocab_size", "options"),
    [
        (300_000, 1024, {}),
        (700_000, 777, {"tied": False}),
        (1_000_000, 2048, {"multiple_of": 32}),
        (5_000_000, 4160, {"gguf": True}),
    ],
)
def test_nothing_is_left_out_and_nothing_is_added(budget, vocab_size, options):
    constraints = Constraints(
        vocab_size=vocab_size,
        multiple_of=options.get("multiple_of", 1),
        gguf=options.get("gguf", False),
        tie_embeddings=options.get("tied", True),
    )
    expected = plainly(budget, vocab_size, **options)
    assert len(expected) > 3
    assert enumerated(budget, constraints) == expected


def test_columns_are_counted_as_single_shapes_are():
    constraints = Constraints(tie_embeddings=False)
    shapes = shapes_within(1_000_000, constraints)
    totals = shapes.totals(tied=False)
    for position in range(0, len(shapes), 97):
        config = ModelConfig(**shapes.sizes_at(position), context_length=8, tie_embeddings=False)
        assert count_parameters(config).total == totals[position]


def test_a_free_vocabulary_is_tried_at_round_sizes():
    shapes = shapes_within(5_000_000, Constraints())
    assert set(shapes.vocab_size % 512) == {0}
    assert {2048, 3584, 4096, 16_384} <= set(shapes.vocab_size)


def test_the_lowest_total_is_99_percent():
    assert lowest_total(5_000_000) == 4_950_000
    assert lowest_total(333_333) == 330_000
