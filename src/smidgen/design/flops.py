"""Floating-point operations per token. A multiply and an add are two."""

from smidgen.design.parameters import count_parameters
from smidgen.model.config import ModelConfig


def flops_per_token(config: ModelConfig) -> dict[str, int]:
    """Operations of one token's forward pass and of training on it, at a full context.

    Matrix products count 2 per weight (the tied head included, the embedding look-up not). Attention's two
    products count the whole score matrix, as ``torch.utils.flop_counter`` does; a causal kernel does half of
    it. Training is three times the forward pass (PaLM, arXiv:2204.02311, appendix B).
    """
    counts = count_parameters(config)
    head = 2 * config.vocab_size * config.hidden_size
    attention = 4 * config.num_layers * config.context_length * config.num_heads * config.head_dim
    forward = head + 2 * (counts.attention + counts.feed_forward) + attention
    return {"forward": forward, "training": 3 * forward}
