"""Noun phrases and adverbials that several constructions share."""

from collections.abc import Sequence

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon
from smidgen.data.grammar.word import HE, SHE, Noun, Person, Verb
from smidgen.data.grammar.world import World

ADJECTIVE_CHANCE = 0.35
HABITS = ("every day", "every morning", "every evening", "at night", "on Sundays", "after lunch", "in the morning")


def person(world: World, dice: Dice, plural: bool = False, beside: str = "") -> str:
    """ "baker", "old queens": without an article.

    ``beside`` is a phrase in the same sentence, which should not be about the same kind of person.
    """
    return _phrase(world.people, lexicon.PERSON_ADJECTIVES, dice, plural, beside)


def animal(world: World, dice: Dice, plural: bool = False, beside: str = "") -> str:
    return _phrase(world.animals, lexicon.ANIMAL_ADJECTIVES, dice, plural, beside)


def thing(world: World, dice: Dice, plural: bool = False, beside: str = "") -> str:
    return _phrase(world.things, lexicon.THING_ADJECTIVES, dice, plural, beside)


def being(world: World, dice: Dice, plural: bool = False, beside: str = "") -> str:
    return (person if dice.coin() else animal)(world, dice, plural, beside)


def actor(world: World, dice: Dice, plural: bool) -> tuple[str, tuple[Verb, ...]]:
    """Somebody and the things that somebody of the kind does."""
    if dice.coin():
        return person(world, dice, plural), lexicon.PERSON_ACTIONS
    return animal(world, dice, plural), lexicon.ANIMAL_ACTIONS


def someone(world: World, dice: Dice) -> Person:
    """A person whose gender shows: "Mia", "the king"."""
    if dice.chance(0.7):
        return dice.pick(world.names)
    return of_gender(world, dice, dice.coin())


def of_gender(world: World, dice: Dice, female: bool) -> Person:
    if dice.coin():
        return dice.pick(world.girls if female else world.boys)
    noun = dice.pick(world.female_nouns if female else world.male_nouns)
    return Person(f"the {noun.singular}", SHE if female else HE)


def somewhere(world: World, dice: Dice) -> str:
    place = dice.pick(world.places)
    return place.at if dice.coin() else place.near


def habit(world: World, dice: Dice) -> str:
    return dice.pick(HABITS) if dice.coin() else somewhere(world, dice)


def deed(dice: Dice, frames: Sequence[lexicon.Frame] = lexicon.FRAMES) -> tuple[Verb, str]:
    """A verb and what it is done to: write, "a letter"."""
    verb, complements = dice.pick(frames)
    return verb, dice.pick(complements)


def _phrase(nouns: Sequence[Noun], adjectives: Sequence[str], dice: Dice, plural: bool, beside: str) -> str:
    noun = dice.pick(nouns)
    if beside:
        others = beside.split()
        while noun.singular in others or noun.plural in others:
            noun = dice.pick(nouns)
    words = noun.plural if plural else noun.singular
    return f"{dice.pick(adjectives)} {words}" if dice.chance(ADJECTIVE_CHANCE) else words
