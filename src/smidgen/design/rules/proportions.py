"""Whether depth, width and feed-forward layers are in the proportions of models that work."""

from collections.abc import Iterator

from smidgen.design import evidence
from smidgen.design.finding import Finding
from smidgen.design.subject import Subject

# Channels of width for each layer. Published systems of this size have 12 to 80, models of billions up to 160.
FEWEST_PER_LAYER, MOST_PER_LAYER = 10, 200
# Width of the feed-forward layer over that of the model: gated ones have 2.5 to 4 at this size, others 4.
GATED_RATIOS, PLAIN_RATIOS = (2.0, 5.0), (2.5, 8.0)


def depth(subject: Subject) -> Iterator[Finding]:
    shape = subject.shape
    per_layer = shape.hidden_size / shape.num_layers
    if FEWEST_PER_LAYER <= per_layer <= MOST_PER_LAYER:
        return
    layers = max(1, shape.hidden_size // FEWEST_PER_LAYER)
    if per_layer > MOST_PER_LAYER:
        layers = -(-shape.hidden_size // MOST_PER_LAYER)
    is_fixed = shape.hidden_size / layers >= FEWEST_PER_LAYER
    yield Finding(
        code="depth-width",
        severity="note",
        message=f"{shape.num_layers} layers of {shape.hidden_size} channels: {per_layer:.1f} channels a layer, where "
        f"{FEWEST_PER_LAYER} to {MOST_PER_LAYER} are known to work",
        evidence=evidence.DEPTH,
        changes={"design.num_layers": layers} if is_fixed else {},
        effect="" if is_fixed else f"a hidden size of at least {FEWEST_PER_LAYER}",
    )


def feed_forward(subject: Subject) -> Iterator[Finding]:
    shape = subject.shape
    low, high = GATED_RATIOS if shape.gated else PLAIN_RATIOS
    ratio = shape.intermediate_size / shape.hidden_size
    if low <= ratio <= high:
        return
    size = int((low if ratio < low else high) * shape.hidden_size)
    kind = "gated" if shape.gated else "plain"
    yield Finding(
        code="feed-forward-ratio",
        severity="note",
        message=f"the {kind} feed-forward layer has {ratio:.1f} times the width, where {low:g} to {high:g} are usual",
        evidence=evidence.FEED_FORWARD,
        changes={"design.intermediate_size": size},
    )
