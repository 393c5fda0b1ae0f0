"""Every tensor that a shape consists of, by part: the one table from which counts, operations and files follow."""

from collections.abc import Iterator
from dataclasses import dataclass

from smidgen.design.shape import Shape

PARTS = ("embedding", "attention", "feed_forward", "norms", "features", "biases")


@dataclass(frozen=True)
class Tensor:
    """A tensor that stands once in the model or once in each of ``copies`` layers.

    ``name`` is that of ``LlamaModel`` and of our ``Decoder``, "{layer}" in it for the layer; models of other families
    have other names for the same.
    """

    part: str
    name: str
    shape: tuple[int, ...]
    copies: int = 1

    @property
    def size(self) -> int:
        """Numbers of one copy."""
        product = 1
        for length in self.shape:
            product *= length
        return product

    @property
    def names(self) -> list[str]:
        return [self.name.format(layer=layer) for layer in range(self.copies)]


def tensors_of(shape: Shape) -> list[Tensor]:
    """All trainable tensors; a tied head is the embedding and not listed."""
    return [*_outside(shape), *_in_layers(shape)]


def _outside(shape: Shape) -> Iterator[Tensor]:
    width = shape.hidden_size
    yield Tensor("embedding", "embed_tokens.weight", (shape.vocab_size, width))
    if not shape.tied:
        yield Tensor("embedding", "lm_head.weight", (shape.vocab_size, width))
    if shape.learned_positions:
        yield Tensor("embedding", "embed_positions.weight", (shape.learned_positions, width))
    for name, rows in zip(("embed_place", "embed_role"), shape.feature_tables, strict=False):
        yield Tensor("features", f"digit_features.{name}.weight", (rows, width))
    yield from _norm(shape, "norm", 1)


def _in_layers(shape: Shape) -> Iterator[Tensor]:
    width, inner, layers = shape.hidden_size, shape.intermediate_size, shape.num_layers
    queries, keys = shape.query_channels, shape.kv_channels
    for name, outputs, inputs, has_bias in (
        ("q_proj", queries, width, shape.qkv_biases),
        ("k_proj", keys, width, shape.qkv_biases),
        ("v_proj", keys, width, shape.qkv_biases),
        ("o_proj", width, queries, shape.output_bias),
    ):
        yield from _linear("attention", f"self_attn.{name}", outputs, inputs, has_bias, layers)
    for name, outputs, inputs in (
        *((("gate_proj", inner, width),) if shape.gated else ()),
        ("up_proj", inner, width),
        ("down_proj", width, inner),
    ):
        yield from _linear("feed_forward", f"mlp.{name}", outputs, inputs, shape.feed_forward_biases, layers)
    norms = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
    for name in norms[: shape.layer_norms]:
        yield from _norm(shape, "layers.{layer}." + name, layers)
    for name, channels in zip(("q_norm", "k_norm"), shape.head_norms, strict=False):
        yield Tensor("norms", "layers.{layer}.self_attn." + name + ".weight", (channels,), layers)
    if shape.refresh_gates:
        # Its form is not published; the card's count of parameters is (3 d^2 + 12 d + 1).
        yield Tensor(
            "features", "layers.{layer}.refresh_gate", (3 * width * width + 12 * width + 1,), shape.refresh_gates
        )


def _linear(part: str, name: str, outputs: int, inputs: int, has_bias: bool, layers: int) -> Iterator[Tensor]:
    yield Tensor(part, "layers.{layer}." + name + ".weight", (outputs, inputs), layers)
    if has_bias:
        yield Tensor("biases", "layers.{layer}." + name + ".bias", (outputs,), layers)


def _norm(shape: Shape, name: str, copies: int) -> Iterator[Tensor]:
    yield Tensor("norms", f"{name}.weight", (shape.hidden_size,), copies)
    if shape.norm_biases:
        yield Tensor("norms", f"{name}.bias", (shape.hidden_size,), copies)
