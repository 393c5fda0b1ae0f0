"""Determiners agree with their noun in number; "a" and "an" with the next sound."""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon, phrase
from smidgen.data.grammar.construction import Construction, Twins, fork, swap
from smidgen.data.grammar.word import capital
from smidgen.data.grammar.world import World

DEMONSTRATIVES = (("this", "these"), ("that", "those"))
ONE = ("every", "each", "another", "one")
SEVERAL = ("many", "several", "two", "three", "four", "both")
FOUND = ("found", "saw", "wanted", "liked", "noticed", "chose", "remembered")
AMOUNT_VERBS = ("had", "bought", "brought", "found", "wanted", "carried")


def noun_after_this(world: World, dice: Dice) -> Twins:
    """ "Mia found these keys in the garden.": the noun differs."""
    plural = dice.coin()
    item = dice.pick(world.animals + world.things)
    determiner = dice.pick(DEMONSTRATIVES)[plural]
    return fork(_saw(world, dice, f"{determiner} _"), *swap(plural, item.plural, item.singular))


def this_before_noun(world: World, dice: Dice) -> Twins:
    """ "Mia found these old keys in the garden.": the determiner differs."""
    plural = dice.coin()
    kind = phrase.animal if dice.coin() else phrase.thing
    one, many = dice.pick(DEMONSTRATIVES)
    return fork(_saw(world, dice, f"_ {kind(world, dice, plural)}"), *swap(plural, many, one))


def this_as_subject(world: World, dice: Dice) -> Twins:
    """ "Those dogs followed Mia to the mill." """
    plural = dice.coin()
    animal = dice.pick(world.animals)
    determiner = dice.pick(DEMONSTRATIVES)[plural]
    end = f"followed {dice.pick(world.names).text} {dice.pick(world.places).to}"
    return fork(f"{determiner} _ {end}.", *swap(plural, animal.plural, animal.singular))


def quantified_object(world: World, dice: Dice) -> Twins:
    """ "Mia saw many boxes in the barn." """
    plural = dice.coin()
    kind = phrase.animal if dice.coin() else phrase.thing
    frame = _saw(world, dice, f"_ {kind(world, dice, plural)}")
    return fork(frame, *swap(plural, dice.pick(SEVERAL), dice.pick(ONE)))


def quantified_subject(world: World, dice: Dice) -> Twins:
    """ "Every baker liked the old lamp." """
    plural = dice.coin()
    end = f"liked the {phrase.thing(world, dice)} {phrase.somewhere(world, dice)}"
    frame = f"_ {phrase.person(world, dice, plural)} {end}."
    return fork(frame, *swap(plural, dice.pick(SEVERAL), dice.pick(ONE)))


def much_or_many(world: World, dice: Dice) -> Twins:
    """ "Mia bought too much rice at the market." """
    countable = dice.coin()
    stuff = dice.pick(world.foods + world.things).plural if countable else dice.pick(lexicon.MASS_FOODS)
    degree = dice.pick(("too", "so"))
    subject = dice.pick(world.names).text
    frame = f"{subject} {dice.pick(AMOUNT_VERBS)} {degree} _ {stuff} {phrase.somewhere(world, dice)}."
    return fork(frame, *swap(countable, "many", "much"))


def article_before_noun(world: World, dice: Dice) -> Twins:
    """ "Mia saw an owl near the barn." """
    vowel = dice.coin()
    kind = lexicon.VOWEL_NOUNS if vowel else lexicon.CONSONANT_NOUNS
    return fork(_saw(world, dice, f"_ {dice.pick(kind).singular}"), *swap(vowel, "an", "a"))


def article_before_adjective(world: World, dice: Dice) -> Twins:
    """ "Mia saw an old box near the barn." """
    vowel = dice.coin()
    adjective = dice.pick(lexicon.VOWEL_ADJECTIVES if vowel else lexicon.CONSONANT_ADJECTIVES)
    return fork(_saw(world, dice, f"_ {adjective} {dice.pick(world.things).singular}"), *swap(vowel, "an", "a"))


def _saw(world: World, dice: Dice, what: str) -> str:
    verb = dice.pick(FOUND)
    return capital(f"{phrase.someone(world, dice).text} {verb} {what} {phrase.somewhere(world, dice)}.")


CONSTRUCTIONS = (
    Construction("determiner_noun_agreement", "told", noun_after_this),
    Construction("determiner_noun_agreement", "told", this_before_noun),
    Construction("determiner_noun_agreement", "told", this_as_subject),
    Construction("quantifier_number", "told", quantified_object),
    Construction("quantifier_number", "told", quantified_subject),
    Construction("quantifier_number", "told", much_or_many),
    Construction("article_form", "told", article_before_noun),
    Construction("article_form", "told", article_before_adjective),
)
