"""Floating-point operations per token. A multiply and an add are two."""

from smidgen.design.shape import Shape, shape_of
from smidgen.design.tensors import tensors_of
from smidgen.model.config import ModelConfig

# A training step computes each product once forward and twice backward, for its input and for its weights.
TRAINING_PASSES = 3


def flops_per_token(design: ModelConfig | Shape) -> dict[str, int]:
    """Operations of one token's forward pass and of training on it, at a full context.

    Training is three times the forward pass (PaLM, arXiv:2204.02311, appendix B). ``flops_by_part`` says what is
    counted.
    """
    forward = sum(_forward(shape_of(design)).values())
    return {"forward": forward, "training": TRAINING_PASSES * forward}


def flops_by_part(design: ModelConfig | Shape) -> dict[str, dict[str, int]]:
    """``{"forward": {part: n}, "training": {part: n}}``; the parts sum to ``flops_per_token``.

    Counted are matrix products, as ``torch.utils.flop_counter`` counts them: 2 for each weight of a projection and
    of the head, none for a look-up in a table, nor for norms, rotations, activations and the softmax. Attention's
    scores are those of all pairs of tokens of a context, because that is what is computed where a mask hides the
    later ones; ``needed_training_flops`` counts what a causal kernel has to compute.
    """
    forward = _forward(shape_of(design))
    return {"forward": forward, "training": {part: TRAINING_PASSES * number for part, number in forward.items()}}


def needed_training_flops(design: ModelConfig | Shape) -> float:
    """Operations of training on one token when every token is compared with itself and those before it only."""
    shape = shape_of(design)
    forward = _forward(shape)
    hidden = forward["attention_scores"] * (shape.context_length - 1) / (2 * shape.context_length)
    return TRAINING_PASSES * (sum(forward.values()) - hidden)


def _forward(shape: Shape) -> dict[str, int]:
    tensors = tensors_of(shape)

    def products(part: str) -> int:
        return sum(2 * tensor.copies * tensor.size for tensor in tensors if tensor.part == part)

    return {
        "embedding": 0,
        "attention_projections": products("attention"),
        # Queries with keys, and their weights with values.
        "attention_scores": 4 * shape.num_layers * shape.context_length * shape.query_channels,
        "feed_forward": products("feed_forward"),
        "head": 2 * shape.vocab_size * shape.hidden_size,
    }
