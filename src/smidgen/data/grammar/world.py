"""Who and what a sentence may be about: everything, or the small cast of one document."""

from dataclasses import dataclass

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon
from smidgen.data.grammar.word import Noun, Person, Place


@dataclass(frozen=True, slots=True)
class World:
    girls: tuple[Person, ...]
    boys: tuple[Person, ...]
    names: tuple[Person, ...]
    female_nouns: tuple[Noun, ...]
    male_nouns: tuple[Noun, ...]
    workers: tuple[Noun, ...]
    people: tuple[Noun, ...]
    animals: tuple[Noun, ...]
    things: tuple[Noun, ...]
    foods: tuple[Noun, ...]
    places: tuple[Place, ...]


def whole_world() -> World:
    return World(
        girls=lexicon.GIRLS,
        boys=lexicon.BOYS,
        names=lexicon.GIRLS + lexicon.BOYS,
        female_nouns=lexicon.FEMALE_NOUNS,
        male_nouns=lexicon.MALE_NOUNS,
        workers=lexicon.WORKERS,
        people=lexicon.WORKERS + lexicon.FEMALE_NOUNS + lexicon.MALE_NOUNS,
        animals=lexicon.ANIMALS,
        things=lexicon.THINGS,
        foods=lexicon.FOODS,
        places=lexicon.PLACES,
    )


def small_world(dice: Dice) -> World:
    """The cast of one document: at least two of every kind, so that a sentence can hold two of a kind."""
    girls = dice.several(lexicon.GIRLS, 2)
    boys = dice.several(lexicon.BOYS, 2)
    female_nouns = dice.several(lexicon.FEMALE_NOUNS, 2)
    male_nouns = dice.several(lexicon.MALE_NOUNS, 2)
    workers = dice.several(lexicon.WORKERS, 2)
    heroes = dice.several(girls + boys, 3)
    return World(
        girls=girls,
        boys=boys,
        names=heroes,
        female_nouns=female_nouns,
        male_nouns=male_nouns,
        workers=workers,
        people=workers + female_nouns + male_nouns,
        animals=dice.several(lexicon.ANIMALS, 2),
        things=dice.several(lexicon.THINGS, 3),
        foods=dice.several(lexicon.FOODS, 2),
        places=dice.several(lexicon.PLACES, 3),
    )
