"""Words such as "ever", "any", "either" and "neither" need a negation in the right place."""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon, phrase
from smidgen.data.grammar.construction import Construction, Twins, fork, swap
from smidgen.data.grammar.world import World

KNOWING = ("like", "know", "help", "trust", "visit", "love")
SKILLS = ("can", "will", "could", "must", "should")


def ever_under_no(world: World, dice: Dice) -> Twins:
    """ "Mia thinks that no baker who knows the king has ever seen the sea.": "no" stands above "ever"."""
    verb, what = phrase.deed(dice)
    first = phrase.person(world, dice)
    second = phrase.person(world, dice, beside=first)
    knows, thinks = lexicon.VERBS[dice.pick(KNOWING)].third, dice.pick(("thinks", "says", "knows"))
    start, end = f"{dice.pick(world.names).text} {thinks} that", f"has ever {verb.participle} {what}."
    return (
        f"{start} no {first} who {knows} the {second} {end}",
        f"{start} the {first} who {knows} no {second} {end}",
    )


def any_under_not(world: World, dice: Dice) -> Twins:
    """ "Mia had not found any eggs, but Tom had found some." """
    first, second = dice.two(world.names)
    verb, things = dice.pick(lexicon.NEEDS_THING).participle, dice.pick(world.foods + world.things).plural
    where = phrase.somewhere(world, dice)
    return (
        f"{first.text} had not {verb} any {things} {where}, but {second.text} had {verb} some.",
        f"{first.text} had {verb} any {things} {where}, but {second.text} had not {verb} some.",
    )


def too_or_either(world: World, dice: Dice) -> Twins:
    """ "Mia does not like the owl, and Tom does not like it either." """
    positive = dice.coin()
    verb = lexicon.VERBS[dice.pick(("like", "want", "see", "need", "remember"))]
    does = verb.third if positive else f"does not {verb.base}"
    first, second = dice.two(world.names)
    what = phrase.thing(world, dice) if dice.coin() else phrase.animal(world, dice)
    frame = f"{first.text} {does} the {what}, and {second.text} {does} it _."
    return fork(frame, *swap(positive, "too", "either"))


def so_or_neither(world: World, dice: Dice) -> Twins:
    """ "Mia can fly a kite, and so can Tom." """
    positive = dice.coin()
    verb, what = phrase.deed(dice)
    first, second = dice.two(world.names)
    skill = dice.pick(SKILLS)
    auxiliary = skill if positive else _negated(skill)
    frame = f"{first.text} {auxiliary} {verb.base} {what}, and _ {skill} {second.text}."
    return fork(frame, *swap(positive, "so", "neither"))


def _negated(auxiliary: str) -> str:
    return "cannot" if auxiliary == "can" else f"{auxiliary} not"


CONSTRUCTIONS = (
    Construction("npi_licensing", "said", ever_under_no),
    Construction("npi_licensing", "told", any_under_not),
    Construction("npi_licensing", "said", too_or_either),
    Construction("npi_licensing", "said", so_or_neither),
)
