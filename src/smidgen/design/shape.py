"""The shape of a decoder of any family, ours or one that others trained: what its parameters and operations cost."""

from dataclasses import dataclass

from smidgen.model.config import ModelConfig

# The family of what Smidgen itself builds and exports.
OWN_FAMILY = "smidgen"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes and options that something follows from; a ``ModelConfig`` or a ``config.json`` leads to one.

    ``gated`` feed-forward layers have three matrices (SwiGLU), others two. ``layer_norms`` are those of each layer
    that act on the whole width, with ``norm_biases`` where they are LayerNorm. ``head_norms`` are the weights of one
    layer's norms of queries and of keys. ``learned_positions`` are rows of a position table; ``rotary_dim`` the
    channels of a head that turn, 0 where none do. ``feature_tables`` are the rows of further input tables (digit
    features), ``refresh_gates`` the number of layers that have one.
    """

    family: str
    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    intermediate_size: int
    context_length: int
    tied: bool
    gated: bool = True
    rotary_dim: int = 0
    rope_theta: float = 10_000.0
    learned_positions: int = 0
    layer_norms: int = 2
    norm_biases: bool = False
    head_norms: tuple[int, ...] = ()
    qkv_biases: bool = False
    output_bias: bool = False
    feed_forward_biases: bool = False
    feature_tables: tuple[int, ...] = ()
    refresh_gates: int = 0
    xsa: bool = False
    logit_softcap: float = 0.0

    @property
    def query_channels(self) -> int:
        return self.num_heads * self.head_dim

    @property
    def kv_channels(self) -> int:
        return self.num_kv_heads * self.head_dim

    @property
    def group_size(self) -> int:
        """Query heads that share one key-value head."""
        return self.num_heads // self.num_kv_heads


def shape_of(design: ModelConfig | Shape) -> Shape:
    """The shape of a design of ours; a shape is its own."""
    if isinstance(design, Shape):
        return design
    return Shape(
        family=OWN_FAMILY,
        vocab_size=design.vocab_size,
        hidden_size=design.hidden_size,
        num_layers=design.num_layers,
        num_heads=design.num_heads,
        num_kv_heads=design.num_kv_heads,
        head_dim=design.head_dim,
        intermediate_size=design.intermediate_size,
        context_length=design.context_length,
        tied=design.tie_embeddings,
        rotary_dim=design.head_dim,
        rope_theta=design.rope_theta,
        head_norms=(design.head_dim, design.head_dim) if design.qk_norm else (),
        qkv_biases=design.attention_bias,
        output_bias=design.attention_bias,
        feed_forward_biases=design.mlp_bias,
        feature_tables=(design.place_vocab_size, design.role_vocab_size) if design.has_digit_features else (),
        xsa=design.xsa,
        logit_softcap=design.logit_softcap,
    )
