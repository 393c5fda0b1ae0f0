"""Exact parameter counts by part; their sum is the ``numel()`` of the real model."""

from dataclasses import asdict, dataclass

from smidgen.model.config import ModelConfig


@dataclass(frozen=True, kw_only=True)
class ParameterCounts:
    """Numbers of trainable weights by part."""

    embedding: int
    attention: int
    feed_forward: int
    norms: int
    features: int
    biases: int

    @property
    def total(self) -> int:
        return sum(asdict(self).values())

    def as_dict(self) -> dict[str, int]:
        return {"total": self.total, **asdict(self)}


def count_parameters(config: ModelConfig) -> ParameterCounts:
    """Count what a ``Decoder`` of this configuration holds, in closed form."""
    tables = 1 if config.tie_embeddings else 2
    query_channels = config.num_heads * config.head_dim
    kv_channels = config.num_kv_heads * config.head_dim
    attention_bias = query_channels + 2 * kv_channels + config.hidden_size if config.attention_bias else 0
    mlp_bias = 2 * config.intermediate_size + config.hidden_size if config.mlp_bias else 0
    return ParameterCounts(
        embedding=tables * config.vocab_size * config.hidden_size,
        attention=config.num_layers * 2 * config.hidden_size * (query_channels + kv_channels),
        feed_forward=config.num_layers * 3 * config.hidden_size * config.intermediate_size,
        norms=(2 * config.num_layers + 1) * config.hidden_size,
        features=(config.place_vocab_size + config.role_vocab_size) * config.hidden_size,
        biases=config.num_layers * (attention_bias + mlp_bias),
    )
