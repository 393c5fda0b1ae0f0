"""Questions turn the auxiliary round, and cannot reach into every part of a sentence.

Every twin here has the words of its question in another order.
"""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon, phrase
from smidgen.data.grammar.construction import Construction, Twins
from smidgen.data.grammar.world import World

WHERE = ("where", "why")


def what_did(world: World, dice: Dice) -> Twins:
    """ "What did Mia find in the barn?" """
    name, verb = dice.pick(world.names).text, dice.pick(lexicon.NEEDS_THING).base
    where = phrase.somewhere(world, dice)
    return f"What did {name} {verb} {where}?", f"What {name} did {verb} {where}?"


def where_is(world: World, dice: Dice) -> Twins:
    """ "Where are the old dogs sleeping?" """
    plural = dice.coin()
    subject, verbs = phrase.actor(world, dice, plural)
    word, be = dice.pick(WHERE).capitalize(), "are" if plural else "is"
    verb = dice.pick(verbs).ing
    return f"{word} {be} the {subject} {verb}?", f"{word} the {subject} {be} {verb}?"


def is_who_is(world: World, dice: Dice) -> Twins:
    """ "Is the baker who is singing happy?": the auxiliary of the main clause moves."""
    person = dice.coin()
    subject = phrase.person(world, dice) if person else phrase.animal(world, dice)
    verbs = lexicon.PERSON_ACTIONS if person else lexicon.ANIMAL_ACTIONS
    state = dice.pick(lexicon.FEELINGS if person else lexicon.ANIMAL_STATES)
    start, verb = f"Is the {subject} {'who' if person else 'that'}", dice.pick(verbs).ing
    return f"{start} is {verb} {state}?", f"{start} {verb} is {state}?"


def did_you(world: World, dice: Dice) -> Twins:
    """ "Did Mia find the key in the barn?" """
    name, verb = dice.pick(world.names).text, dice.pick(lexicon.NEEDS_THING).base
    end = f"the {phrase.thing(world, dice)} {phrase.somewhere(world, dice)}"
    return f"Did {name} {verb} {end}?", f"Did {verb} {name} {end}?"


def adjunct_island(world: World, dice: Dice) -> Twins:
    """ "Who did Mia thank after greeting Tom?": nothing can be asked out of the "after" part."""
    (first, second), (outer, inner) = dice.two(world.names), dice.two(lexicon.NEEDS_PERSON)
    start, when = f"Who did {first.text} {outer.base}", dice.pick(("after", "before"))
    where = phrase.somewhere(world, dice)
    return (
        f"{start} {when} {inner.ing} {second.text} {where}?",
        f"{start} {second.text} {when} {inner.ing} {where}?",
    )


def coordinate_island(world: World, dice: Dice) -> Twins:
    """ "What did Mia and Tom find in the barn?" """
    first, second = dice.two(world.names)
    verb, where = dice.pick(lexicon.NEEDS_THING).base, phrase.somewhere(world, dice)
    return (
        f"What did {first.text} and {second.text} {verb} {where}?",
        f"What did {first.text} {verb} and {second.text} {where}?",
    )


def left_branch_island(world: World, dice: Dice) -> Twins:
    """ "Which box did Mia find in the barn?" """
    word = dice.pick(("Which", "Whose", "How many"))
    what = phrase.thing(world, dice, plural=word == "How many" or dice.coin())
    name, verb = dice.pick(world.names).text, dice.pick(lexicon.NEEDS_THING).base
    where = phrase.somewhere(world, dice)
    return f"{word} {what} did {name} {verb} {where}?", f"{word} did {name} {verb} {what} {where}?"


CONSTRUCTIONS = (
    Construction("question_inversion", "asked", what_did),
    Construction("question_inversion", "asked", where_is),
    Construction("question_inversion", "asked", is_who_is),
    Construction("question_inversion", "asked", did_you),
    Construction("island", "asked", adjunct_island),
    Construction("island", "asked", coordinate_island),
    Construction("island", "asked", left_branch_island),
)
