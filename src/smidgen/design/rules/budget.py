"""Whether a design, or the correction that its makers propose, fits the parameters that it may have."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from smidgen.design import evidence
from smidgen.design.evidence import ANT, Evidence
from smidgen.design.finding import Finding
from smidgen.design.parameters import count_parameters
from smidgen.design.rules.vocabulary import SMALLEST_VOCABULARY, VOCABULARY_STEP
from smidgen.design.shape import Shape
from smidgen.design.subject import Subject

FEED_FORWARD_STEP = 32


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What the makers of a published design say should be changed, within their own budget of parameters."""

    published: dict[str, int]
    proposed: dict[str, Any]
    budget: int
    source: str


CORRECTIONS = (
    Correction(
        published={"vocab_size": 16_384, "hidden_size": 128, "num_layers": 11, "num_heads": 8, "num_kv_heads": 2},
        proposed={"hidden_size": 256, "num_layers": 7, "num_heads": 4, "num_kv_heads": 4, "head_dim": 64},
        budget=5_000_000,
        source=ANT,
    ),
)


def over_budget(subject: Subject) -> Iterator[Finding]:
    shape, budget, total = subject.shape, subject.budget, subject.counts.total
    if budget is None or total <= budget:
        return
    yield Finding(
        code="budget",
        severity="error",
        message=f"the design has {total:,} parameters, {total - budget:,} more than the budget of {budget:,}"
        f"{_hopeless(shape, budget)}",
        evidence=evidence.BUDGET,
        changes=_reduced(shape, budget),
        effect=f"or ask `smidgen solve --parameters {budget}` for the best shapes",
    )


def published_correction(subject: Subject) -> Iterator[Finding]:
    for correction in CORRECTIONS:
        if any(getattr(subject.shape, key) != value for key, value in correction.published.items()):
            continue
        proposed = replace(subject.shape, **correction.proposed, rotary_dim=correction.proposed["head_dim"])
        total = count_parameters(proposed).total
        fitting = _with_smaller_vocabulary(proposed, correction.budget)
        yield Finding(
            code="published-correction",
            severity="warning",
            message=f"the corrected design that its makers propose has {total:,} parameters and does not fit the "
            f"{correction.budget:,} that they allow{_hopeless(proposed, correction.budget)}",
            evidence=(Evidence("for", "arithmetic", "counted exactly", correction.source),),
            changes={f"design.{key}": value for key, value in {**correction.proposed, **fitting}.items()},
            effect=f"their heads, width and depth fit with that vocabulary; or ask `smidgen solve --parameters "
            f"{correction.budget}`",
        )


def _hopeless(shape: Shape, budget: int) -> str:
    """Where not even attention fits beside the vocabulary: the sentence that says so."""
    counts = count_parameters(shape)
    left = budget - counts.embedding
    if left >= counts.attention:
        return ""
    layers = "one layer needs" if shape.num_layers == 1 else f"{shape.num_layers} layers need"
    vocabulary = f"{shape.vocab_size:,} x {shape.hidden_size} of vocabulary"
    if left <= 0:
        return f": {vocabulary} alone take {counts.embedding:,}"
    return f": {vocabulary} leave {left:,}, and {layers} {counts.attention:,} for attention alone"


def _reduced(shape: Shape, budget: int) -> dict[str, int]:
    """One size made smaller, as little as it takes: the feed-forward layer, the vocabulary, or the depth."""
    excess = count_parameters(shape).total - budget
    for key, step, smallest in (
        ("intermediate_size", FEED_FORWARD_STEP, shape.hidden_size),
        ("vocab_size", VOCABULARY_STEP, SMALLEST_VOCABULARY),
        ("num_layers", 1, 1),
    ):
        size = _size_within(shape, key, step, excess)
        if size >= smallest:
            return {f"design.{key}": size}
    return {}


def _with_smaller_vocabulary(shape: Shape, budget: int) -> dict[str, int]:
    """A vocabulary of 4,096, as this size usually has, and the feed-forward layers that fit beside it."""
    smaller = replace(shape, vocab_size=4096)
    excess = count_parameters(smaller).total - budget
    return {
        "vocab_size": smaller.vocab_size,
        "intermediate_size": _size_within(smaller, "intermediate_size", FEED_FORWARD_STEP, excess),
    }


def _size_within(shape: Shape, key: str, step: int, excess: int) -> int:
    """The largest multiple of ``step`` that saves ``excess`` parameters; these are linear in every size."""
    size = getattr(shape, key)
    one_less = replace(shape, **{key: size - 1}) if size > 1 else shape
    slope = count_parameters(shape).total - count_parameters(one_less).total
    return (size - -(-excess // slope)) // step * step if slope else 0
