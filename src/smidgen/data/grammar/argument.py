"""Verbs ask for objects of a kind, or for none, and a question word leaves a gap for one."""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon, phrase
from smidgen.data.grammar.construction import Construction, Twins, fork, swap
from smidgen.data.grammar.world import World

KNEW = ("knew", "remembered", "forgot", "heard", "guessed", "noticed")


def transitive(world: World, dice: Dice) -> Twins:
    """ "Mia carried the box near the barn." against "slept the box"."""
    frame = f"{_subject(world, dice)} _ the {phrase.thing(world, dice)} {phrase.somewhere(world, dice)}."
    return fork(frame, dice.pick(lexicon.NEEDS_THING).past, dice.pick(lexicon.NEVER_TRANSITIVE).past)


def intransitive(world: World, dice: Dice) -> Twins:
    """ "Mia slept near the barn." against "carried near the barn"."""
    frame = f"{_subject(world, dice)} _ {phrase.somewhere(world, dice)}."
    return fork(frame, dice.pick(lexicon.NEVER_TRANSITIVE).past, dice.pick(lexicon.NEEDS_THING).past)


def animate_subject(world: World, dice: Dice) -> Twins:
    """ "The baker opened the box in the barn." against "The box opened the baker"."""
    who, what = phrase.person(world, dice), phrase.thing(world, dice)
    verb, where = dice.pick(lexicon.NEEDS_THING).past, phrase.somewhere(world, dice)
    return f"The {who} {verb} the {what} {where}.", f"The {what} {verb} the {who} {where}."


def gap_for_thing(world: World, dice: Dice) -> Twins:
    """ "Mia knew what Tom found in the barn.", "Mia knew that Tom found the key in the barn." """
    gap = dice.coin()
    knower, finder = dice.two(world.names)
    verb = dice.pick(lexicon.NEEDS_THING).past
    where = phrase.somewhere(world, dice)
    end = where if gap else f"the {phrase.thing(world, dice)} {where}"
    return fork(f"{knower.text} {dice.pick(KNEW)} _ {finder.text} {verb} {end}.", *swap(gap, "what", "that"))


def gap_for_person(world: World, dice: Dice) -> Twins:
    """ "Mia knew who Tom thanked in the barn.", "Mia knew that Tom thanked the baker in the barn." """
    gap = dice.coin()
    knower, finder = dice.two(world.names)
    verb = dice.pick(lexicon.NEEDS_PERSON).past
    where = phrase.somewhere(world, dice)
    end = where if gap else f"the {phrase.person(world, dice)} {where}"
    return fork(f"{knower.text} {dice.pick(KNEW)} _ {finder.text} {verb} {end}.", *swap(gap, "who", "that"))


def _subject(world: World, dice: Dice) -> str:
    # Never a name: the end of "Mia knew what Tom wanted by the river." must not be a bad sentence of ours.
    return f"the {phrase.person(world, dice)}"


CONSTRUCTIONS = (
    Construction("argument_structure", "told", transitive),
    Construction("argument_structure", "told", intransitive),
    Construction("animate_subject", "told", animate_subject),
    Construction("wh_movement", "told", gap_for_thing),
    Construction("wh_movement", "told", gap_for_person),
)
