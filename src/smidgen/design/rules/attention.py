"""Whether the heads are of a size and a grouping that are known to work."""

from collections.abc import Iterator

from smidgen.design import evidence
from smidgen.design.finding import Finding
from smidgen.design.rotation import pairs_that_turn, rotating_pairs
from smidgen.design.subject import Subject

# The smallest head of a published system of this size that works is 32 (GPT-S-5M); Ant-5M had 16.
SMALL_HEAD_DIM = 32
# GPT-S-5M and Atom-3.4m work with groups of 3, Ant-5M had 4. At billions of parameters 4 to 8 are usual.
LARGE_GROUP, GROUPS_MATTER_BELOW = 4, 50_000_000


def head_size(subject: Subject) -> Iterator[Finding]:
    shape = subject.shape
    if shape.head_dim >= SMALL_HEAD_DIM:
        return
    rotation = ""
    if shape.rotary_dim:
        turning, pairs = pairs_that_turn(shape), rotating_pairs(shape)
        rotation = (
            f", {pairs} pairs to tell places by, of which {turning} turn within {shape.context_length:,} tokens"
        )
    width = shape.hidden_size
    heads = [n for n in range(1, shape.num_heads) if width % n == 0 and _fits(width // n)]
    if heads:
        kv_heads = max(n for n in range(1, shape.num_kv_heads + 1) if heads[-1] % n == 0)
        changes = {
            "design.num_heads": heads[-1],
            "design.num_kv_heads": kv_heads,
            "design.head_dim": width // heads[-1],
        }
        changes = {key: value for key, value in changes.items() if value != getattr(shape, key.partition(".")[2])}
    else:
        changes = {"design.head_dim": SMALL_HEAD_DIM}
    yield Finding(
        code="head-size",
        severity="warning",
        message=f"each head has only {shape.head_dim} channels{rotation}",
        evidence=evidence.HEAD_SIZE,
        changes=changes,
        effect="fewer and larger heads",
    )


def kv_grouping(subject: Subject) -> Iterator[Finding]:
    shape = subject.shape
    if shape.group_size < LARGE_GROUP or subject.counts.total >= GROUPS_MATTER_BELOW:
        return
    kv_heads = min(
        n for n in range(1, shape.num_heads + 1) if shape.num_heads % n == 0 and shape.num_heads // n < LARGE_GROUP
    )
    more = shape.num_layers * 2 * shape.hidden_size * (kv_heads - shape.num_kv_heads) * shape.head_dim
    yield Finding(
        code="kv-grouping",
        severity="warning",
        message=f"{shape.group_size} query heads share each key-value head: keys and values of {shape.kv_channels} "
        f"channels for a width of {shape.hidden_size}",
        evidence=evidence.KV_GROUPING,
        changes={"design.num_kv_heads": kv_heads},
        effect=f"that takes {more:,} parameters more",
    )


def _fits(head_dim: int) -> bool:
    return head_dim >= SMALL_HEAD_DIM and head_dim % 2 == 0
