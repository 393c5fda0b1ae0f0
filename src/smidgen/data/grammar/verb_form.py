"""Auxiliaries, participles, the passive and adverbs of time ask for their own form of the verb."""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon, phrase
from smidgen.data.grammar.construction import Construction, Twins, fork, swap
from smidgen.data.grammar.world import World

MODALS_NOW = ("will", "can", "must", "should", "may")
MODALS_THEN = ("could", "would", "should")
REFUSALS = ("did not", "could not", "would not")
TIMES = (
    ("yesterday", "tomorrow"),
    ("last week", "next week"),
    ("last summer", "next summer"),
    ("last year", "next year"),
    ("last Sunday", "next Sunday"),
)


def auxiliary_now(world: World, dice: Dice) -> Twins:
    return _auxiliary(world, dice, dice.pick(MODALS_NOW), "is", "has")


def auxiliary_then(world: World, dice: Dice) -> Twins:
    if dice.coin():
        return _auxiliary(world, dice, dice.pick(REFUSALS), "was not", "had not")
    return _auxiliary(world, dice, dice.pick(MODALS_THEN), "was", "had")


def irregular_now(world: World, dice: Dice) -> Twins:
    return _irregular(world, dice, "has")


def irregular_then(world: World, dice: Dice) -> Twins:
    return _irregular(world, dice, "had")


def time_first(world: World, dice: Dice) -> Twins:
    """ "Yesterday, Mia fed the hens with Tom." """
    past, clause = _dated(world, dice)
    return fork(f"_, {clause}.", *swap(past, *dice.pick(TIMES)))


def time_last(world: World, dice: Dice) -> Twins:
    """ "Mia will feed the hens tomorrow." """
    past, clause = _dated(world, dice)
    return fork(f"{clause} _.", *swap(past, *dice.pick(TIMES)))


def passive(world: World, dice: Dice) -> Twins:
    """ "The box was opened by Mia." against "opening"."""
    verb = dice.pick(lexicon.THING_ACTIONS)
    agent, target, where = _scene(world, dice)
    return fork(f"the {target} was _ by {agent} {where}.", verb.participle, verb.ing)


def active(world: World, dice: Dice) -> Twins:
    """ "Mia was opening the box." against "opened"."""
    verb = dice.pick(lexicon.THING_ACTIONS)
    agent, target, where = _scene(world, dice)
    return fork(f"{agent} was _ the {target} {where}.", verb.ing, verb.participle)


def _auxiliary(world: World, dice: Dice, modal: str, be: str, have: str) -> Twins:
    """ "Mia will sing a song." against "will singing" or "is sing".

    "be" and "have" never trade places: "was brought a basket" would be a good passive.
    """
    verb, what = phrase.deed(dice, lexicon.PROCESS_FRAMES)
    options = ((modal, verb.base), dice.pick(((be, verb.ing), (have, verb.participle))))
    (good_auxiliary, good_form), (bad_auxiliary, bad_form) = options if dice.coin() else options[::-1]
    end = f"{what} {phrase.somewhere(world, dice)}."
    subject = phrase.someone(world, dice).text
    if dice.coin():
        return fork(f"{subject} _ {good_form} {end}", good_auxiliary, bad_auxiliary)
    return fork(f"{subject} {good_auxiliary} _ {end}", good_form, bad_form)


def _irregular(world: World, dice: Dice, have: str) -> Twins:
    """ "Mia has written a letter." against "has wrote"; "Mia wrote a letter." against "written"."""
    verb, what = phrase.deed(dice, lexicon.IRREGULAR_FRAMES)
    perfect = dice.coin()
    subject = phrase.someone(world, dice).text + (f" {have}" if perfect else "")
    frame = f"{subject} _ {what} {dice.pick(world.places).near}."
    return fork(frame, *swap(perfect, verb.participle, verb.past))


def _dated(world: World, dice: Dice) -> tuple[bool, str]:
    past = dice.coin()
    verb, what = phrase.deed(dice, lexicon.PLANNED_FRAMES)
    subject, friend = dice.two(world.names)
    done = verb.past if past else f"will {verb.base}"
    return past, f"{subject.text} {done} {what} with {friend.text}"


def _scene(world: World, dice: Dice) -> tuple[str, str, str]:
    return (
        phrase.someone(world, dice).text,
        phrase.thing(world, dice),
        phrase.somewhere(world, dice),
    )


CONSTRUCTIONS = (
    Construction("tense_auxiliary", "said", auxiliary_now),
    Construction("tense_auxiliary", "told", auxiliary_then),
    Construction("irregular_past_participle", "said", irregular_now),
    Construction("irregular_past_participle", "told", irregular_then),
    Construction("tense_and_time", "said", time_first),
    Construction("tense_and_time", "said", time_last),
    Construction("passive", "told", passive),
    Construction("passive", "told", active),
)
