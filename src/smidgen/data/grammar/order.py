"""Words stand in the order of English; the twin has the same words."""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon, phrase
from smidgen.data.grammar.construction import Construction, Twins
from smidgen.data.grammar.word import capital
from smidgen.data.grammar.world import World


def adjective_first(world: World, dice: Dice) -> Twins:
    """ "The small dog slept in the barn." against "The dog small slept"."""
    animal, adjective = dice.pick(world.animals).singular, dice.pick(lexicon.ANIMAL_ADJECTIVES)
    end = f"{dice.pick(lexicon.ANIMAL_ACTIONS).past} {phrase.somewhere(world, dice)}."
    return f"The {adjective} {animal} {end}", f"The {animal} {adjective} {end}"


def determiner_first(world: World, dice: Dice) -> Twins:
    """ "Mia found the box." against "found box the"."""
    start, what = _doing(world, dice), phrase.thing(world, dice)
    where = phrase.somewhere(world, dice)
    return f"{start} the {what} {where}.", f"{start} {what} the {where}."


def verb_before_object(world: World, dice: Dice) -> Twins:
    """ "The baker found the box." against "The baker the box found"."""
    subject, verb = f"The {phrase.person(world, dice)}", dice.pick(lexicon.NEEDS_THING).past
    what, where = f"the {phrase.thing(world, dice)}", phrase.somewhere(world, dice)
    return f"{subject} {verb} {what} {where}.", f"{subject} {what} {verb} {where}."


def subject_before_verb(world: World, dice: Dice) -> Twins:
    """ "In the barn, the dog saw the baker." against "saw the dog the baker"."""
    being, verb = phrase.being(world, dice), dice.pick(lexicon.PERSON_OBJECT).past
    where, target = capital(phrase.somewhere(world, dice)), phrase.person(world, dice, beside=being)
    return f"{where}, the {being} {verb} the {target}.", f"{where}, {verb} the {being} the {target}."


def preposition_first(world: World, dice: Dice) -> Twins:
    """ "The dog slept near the barn." against "slept the barn near"."""
    start = f"The {phrase.animal(world, dice)} {dice.pick(lexicon.ANIMAL_ACTIONS).past}"
    preposition, place = dice.pick(("near", "behind", "beside")), dice.pick(world.places).name
    return f"{start} {preposition} the {place}.", f"{start} the {place} {preposition}."


def auxiliary_before_verb(world: World, dice: Dice) -> Twins:
    """ "Mia could open the box." against "Mia open could the box"."""
    verb, what = phrase.deed(dice)
    subject, modal = phrase.someone(world, dice).text, dice.pick(("could", "would", "should", "must"))
    end = f"{what} {phrase.somewhere(world, dice)}."
    return capital(f"{subject} {modal} {verb.base} {end}"), capital(f"{subject} {verb.base} {modal} {end}")


def _doing(world: World, dice: Dice) -> str:
    return f"{dice.pick(world.names).text} {dice.pick(lexicon.NEEDS_THING).past}"


CONSTRUCTIONS = tuple(
    Construction("word_order", "told", build)
    for build in (
        adjective_first,
        determiner_first,
        verb_before_object,
        subject_before_verb,
        preposition_first,
        auxiliary_before_verb,
    )
)
