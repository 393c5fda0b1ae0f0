"""Held-out minimal pairs: a good sentence and a twin that differs in one point of grammar."""

from collections.abc import Iterator
from dataclasses import dataclass

from smidgen.data.dice import Dice
from smidgen.data.grammar import (
    agreement,
    anaphora,
    argument,
    comparison,
    determiner,
    order,
    polarity,
    question,
    verb_form,
)
from smidgen.data.grammar.construction import Construction
from smidgen.data.grammar.hold_out import HoldOut
from smidgen.data.grammar.world import whole_world
from smidgen.errors import BadInput

CONSTRUCTIONS: tuple[Construction, ...] = (
    *agreement.CONSTRUCTIONS,
    *determiner.CONSTRUCTIONS,
    *anaphora.CONSTRUCTIONS,
    *verb_form.CONSTRUCTIONS,
    *argument.CONSTRUCTIONS,
    *question.CONSTRUCTIONS,
    *order.CONSTRUCTIONS,
    *polarity.CONSTRUCTIONS,
    *comparison.CONSTRUCTIONS,
)
PHENOMENA: tuple[str, ...] = tuple(dict.fromkeys(each.phenomenon for each in CONSTRUCTIONS))
# One draw in four is held out; this many draws in vain mean that the sentences have run out.
DRAWS_IN_VAIN = 5_000


@dataclass(frozen=True, slots=True)
class MinimalPair:
    phenomenon: str
    good: str
    bad: str


def minimal_pairs(*, seed: int, per_phenomenon: int) -> list[MinimalPair]:
    """``per_phenomenon`` different pairs of every phenomenon, in the order of ``PHENOMENA``.

    A longer list begins, for each phenomenon, with the pairs of a shorter one.
    """
    hold_out = HoldOut()
    return [
        pair
        for phenomenon in PHENOMENA
        for pair in _pairs_of(phenomenon, Dice(f"pairs-{seed}-{phenomenon}"), per_phenomenon, hold_out)
    ]


def _pairs_of(phenomenon: str, dice: Dice, count: int, hold_out: HoldOut) -> Iterator[MinimalPair]:
    constructions = [each for each in CONSTRUCTIONS if each.phenomenon == phenomenon]
    world, seen, in_vain = whole_world(), set[str](), 0
    while len(seen) < count:
        good, bad = dice.pick(constructions).build(world, dice)
        if good in seen or not hold_out.holds(good):
            in_vain += 1
            if in_vain > DRAWS_IN_VAIN:
                raise BadInput(
                    f"{phenomenon} has no {count} different pairs; it ran out after {len(seen)}, "
                    f"so ask for fewer pairs per phenomenon"
                )
            continue
        in_vain = 0
        seen.add(good)
        yield MinimalPair(phenomenon, good, bad)
