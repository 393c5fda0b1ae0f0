"""Verbs agree with their subject in number, also across a noun that stands between them."""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon, phrase
from smidgen.data.grammar.construction import Construction, Twins, fork, swap
from smidgen.data.grammar.word import with_article
from smidgen.data.grammar.world import World

ATTRACTOR_PREPOSITIONS = ("near", "behind", "beside")
NUMBERS = ("two", "three", "four", "many", "several")


def acting(world: World, dice: Dice) -> Twins:
    """ "The old dogs sleep in the barn." """
    plural = dice.coin()
    subject, verbs = phrase.actor(world, dice, plural)
    verb = dice.pick(verbs)
    return fork(f"the {subject} _ {phrase.habit(world, dice)}.", *swap(plural, verb.base, verb.third))


def acting_on(world: World, dice: Dice) -> Twins:
    """ "The bakers know the queen." """
    plural = dice.coin()
    verb = dice.pick(lexicon.PERSON_OBJECT)
    subject = phrase.person(world, dice, plural)
    target = phrase.person(world, dice, beside=subject)
    return fork(f"the {subject} _ the {target}.", *swap(plural, verb.base, verb.third))


def refusing(world: World, dice: Dice) -> Twins:
    """ "The dogs do not like the cook." """
    plural = dice.coin()
    verb = dice.pick(lexicon.PERSON_OBJECT)
    subject = phrase.being(world, dice, plural)
    target = phrase.person(world, dice, beside=subject)
    return fork(f"the {subject} _ not {verb.base} the {target}.", *swap(plural, "do", "does"))


def being_now(world: World, dice: Dice) -> Twins:
    return _being(world, dice, "are", "is")


def being_then(world: World, dice: Dice) -> Twins:
    return _being(world, dice, "were", "was")


def owning(world: World, dice: Dice) -> Twins:
    """ "The baker has a new hat." """
    plural = dice.coin()
    possession = with_article(phrase.thing(world, dice))
    return fork(f"the {phrase.person(world, dice, plural)} _ {possession}.", *swap(plural, "have", "has"))


def existing(world: World, dice: Dice) -> Twins:
    """ "There are two owls near the mill." """
    plural = dice.coin()
    kind = phrase.animal if dice.coin() else phrase.thing
    words = kind(world, dice, plural)
    counted = f"{dice.pick(NUMBERS)} {words}" if plural else with_article(words)
    frame = f"there _ {counted} {phrase.somewhere(world, dice)}."
    return fork(frame, *swap(plural, "were", "was"))


def joined(world: World, dice: Dice) -> Twins:
    """ "Mia and Tom were hungry.", "Mia was hungry." """
    plural = dice.coin()
    first, second = dice.two(world.names)
    subject = f"{first.text} and {second.text}" if plural else first.text
    feeling = f"{dice.pick(lexicon.FEELINGS)} {phrase.somewhere(world, dice)}"
    return fork(f"{subject} _ {feeling}.", *swap(plural, "were", "was"))


def across_phrase_now(world: World, dice: Dice) -> Twins:
    return _across_phrase(world, dice, "are", "is")


def across_phrase_then(world: World, dice: Dice) -> Twins:
    return _across_phrase(world, dice, "were", "was")


def across_phrase_acting(world: World, dice: Dice) -> Twins:
    """ "The dogs near the baker sleep at night." """
    plural = dice.coin()
    subject, verbs = phrase.actor(world, dice, plural)
    verb = dice.pick(verbs)
    between = _between(world, dice, not plural, subject)
    return fork(f"the {subject} {between} _ {dice.pick(phrase.HABITS)}.", *swap(plural, verb.base, verb.third))


def across_clause(world: World, dice: Dice) -> Twins:
    """ "The dogs that followed the baker were tired." """
    plural = dice.coin()
    verb = dice.pick(lexicon.PERSON_OBJECT)
    subject, attractor = phrase.animal(world, dice, plural), phrase.person(world, dice, not plural)
    state = dice.pick(lexicon.ANIMAL_STATES)
    return fork(f"the {subject} that {verb.past} the {attractor} _ {state}.", *swap(plural, "were", "was"))


def _being(world: World, dice: Dice, many: str, one: str) -> Twins:
    """ "The horses are hungry." """
    plural = dice.coin()
    subject, states = _subject(world, dice, plural)
    return fork(f"the {subject} {phrase.somewhere(world, dice)} _ {dice.pick(states)}.", *swap(plural, many, one))


def _across_phrase(world: World, dice: Dice, many: str, one: str) -> Twins:
    """ "The key near the boxes was old." """
    plural = dice.coin()
    subject, states = _subject(world, dice, plural)
    between = _between(world, dice, not plural, subject)
    return fork(f"the {subject} {between} _ {dice.pick(states)}.", *swap(plural, many, one))


def _between(world: World, dice: Dice, plural: bool, subject: str) -> str:
    kind = dice.pick((phrase.person, phrase.animal, phrase.thing))
    return f"{dice.pick(ATTRACTOR_PREPOSITIONS)} the {kind(world, dice, plural, subject)}"


def _subject(world: World, dice: Dice, plural: bool) -> tuple[str, tuple[str, ...]]:
    """Somebody or something, and the states it may be in."""
    kind, states = dice.pick(
        (
            (phrase.person, lexicon.FEELINGS),
            (phrase.animal, lexicon.ANIMAL_STATES),
            (phrase.thing, lexicon.THING_STATES),
        )
    )
    return kind(world, dice, plural), states


CONSTRUCTIONS = (
    Construction("subject_verb_agreement", "said", acting),
    Construction("subject_verb_agreement", "said", acting_on),
    Construction("subject_verb_agreement", "said", refusing),
    Construction("subject_verb_agreement", "said", being_now),
    Construction("subject_verb_agreement", "told", being_then),
    Construction("subject_verb_agreement", "said", owning),
    Construction("subject_verb_agreement", "told", existing),
    Construction("subject_verb_agreement", "told", joined),
    Construction("agreement_across_attractor", "said", across_phrase_now),
    Construction("agreement_across_attractor", "told", across_phrase_then),
    Construction("agreement_across_attractor", "said", across_phrase_acting),
    Construction("agreement_across_attractor", "told", across_clause),
)
