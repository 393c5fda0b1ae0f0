"""Whether theta suits the context."""

import math
from collections.abc import Iterator

from smidgen.design import evidence
from smidgen.design.finding import Finding
from smidgen.design.rotation import pairs_that_turn, rotating_pairs, theta_for, wavelength
from smidgen.design.subject import Subject

# Of the published systems AtomixS2-5M has the smallest share of pairs that turn, half (with an inferred theta).
SMALLEST_TURNING_SHARE = 0.5


def never_turning(subject: Subject) -> Iterator[Finding]:
    """Wavelengths longer than the context: these channels tell near from far only roughly."""
    shape = subject.shape
    pairs, turning = rotating_pairs(shape), pairs_that_turn(shape)
    wanted = math.ceil(SMALLEST_TURNING_SHARE * pairs)
    if turning >= wanted or wanted < 2:
        return
    yield Finding(
        code="rope-never-turns",
        severity="note",
        message=f"{pairs - turning} of {pairs} rotary pairs never turn within {shape.context_length:,} tokens "
        f"(theta {shape.rope_theta:g})",
        evidence=evidence.ROPE_NEVER_TURNS,
        changes={"design.rope_theta": _two_digits(theta_for(shape, wanted - 1), math.floor)},
        effect="half of them turn then",
    )


def aliasing(subject: Subject) -> Iterator[Finding]:
    """Wavelengths all shorter than the context: distances come again."""
    shape = subject.shape
    pairs = rotating_pairs(shape)
    if pairs < 2:
        return
    longest = wavelength(shape, pairs - 1)
    if longest >= shape.context_length:
        return
    yield Finding(
        code="rope-aliases",
        severity="warning",
        message=f"all {pairs} rotary pairs alias: the slowest turns in {longest:,.0f} tokens, the context has "
        f"{shape.context_length:,}, so that far tokens look like near ones (theta {shape.rope_theta:g})",
        evidence=evidence.ROPE_ALIASES,
        changes={"design.rope_theta": _two_digits(theta_for(shape, pairs - 1), math.ceil)},
        effect="the slowest turns just once then",
    )


def _two_digits(value: float, rounded) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{rounded(value / step) * step:.6g}")
