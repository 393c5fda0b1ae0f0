"""Reflexives, pronouns and relative pronouns match the word they stand for."""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon, phrase
from smidgen.data.grammar.construction import Construction, Twins, fork, swap
from smidgen.data.grammar.world import World

CASES = (("I", "me"), ("he", "him"), ("she", "her"), ("we", "us"), ("they", "them"))
CLAIMS = ("said", "thought", "knew", "told the baker", "told the teacher")
LOOKS = ("old", "small", "wet", "dirty")
CAME = ("came from the village", "fell", "stood alone", "disappeared", "was lost", "was missing")


def reflexive_gender(world: World, dice: Dice) -> Twins:
    """ "The queen washed herself in the river." """
    female = dice.coin()
    subject = phrase.of_gender(world, dice, female).text
    return fork(_reflexive(subject, world, dice), *swap(female, "herself", "himself"))


def reflexive_number(world: World, dice: Dice) -> Twins:
    """ "The girls washed themselves in the river." """
    female, plural = dice.coin(), dice.coin()
    one = "herself" if female else "himself"
    subject = _group(world, dice, female) if plural else phrase.of_gender(world, dice, female).text
    return fork(_reflexive(subject, world, dice), *swap(plural, "themselves", one))


def bound_in_own_clause(world: World, dice: Dice) -> Twins:
    """ "The king said that Mia washed herself." """
    female = dice.coin()
    outer, inner = phrase.of_gender(world, dice, not female).text, phrase.of_gender(world, dice, female).text
    frame = f"{outer} {dice.pick(CLAIMS)} that {inner} {dice.pick(lexicon.REFLEXIVE_FRAMES)}."
    return fork(frame, *swap(female, "herself", "himself"))


def bound_across_clause(world: World, dice: Dice) -> Twins:
    """ "The girl who thanked Tom washed herself." """
    female = dice.coin()
    noun = dice.pick(world.female_nouns if female else world.male_nouns).singular
    other = phrase.of_gender(world, dice, not female).text
    verb = dice.pick(lexicon.NEEDS_PERSON).past
    frame = f"the {noun} who {verb} {other} {dice.pick(lexicon.REFLEXIVE_FRAMES)}."
    return fork(frame, *swap(female, "herself", "himself"))


def bound_to_relative(world: World, dice: Dice) -> Twins:
    """ "Mia's brother washed himself." """
    female = dice.coin()
    owner = dice.pick(world.boys if female else world.girls).text
    relative = dice.pick(lexicon.FEMALE_RELATIVES if female else lexicon.MALE_RELATIVES)
    return fork(_reflexive(f"{owner}'s {relative}", world, dice), *swap(female, "herself", "himself"))


def subject_case(world: World, dice: Dice) -> Twins:
    """ "In the barn, she found the key.": never first, where "Her" and "Them" would be words like no other."""
    where, verb = phrase.somewhere(world, dice), dice.pick(lexicon.NEEDS_THING).past
    clause = f"_ {verb} the {phrase.thing(world, dice)}"
    if dice.coin():
        return fork(f"{where}, {clause}.", *dice.pick(CASES))
    return fork(f"{phrase.someone(world, dice).text} said that {clause} {where}.", *dice.pick(CASES))


def object_case(world: World, dice: Dice) -> Twins:
    """ "The bakers thanked her in the barn." """
    subject = f"the {phrase.person(world, dice, dice.coin())}" if dice.coin() else dice.pick(world.names).text
    verb = dice.pick(lexicon.NEEDS_PERSON).past
    good, bad = reversed(dice.pick(CASES))
    return fork(f"{subject} {verb} _ {phrase.somewhere(world, dice)}.", good, bad)


def relative_pronoun(world: World, dice: Dice) -> Twins:
    """ "Mia found the box which fell near the barn." """
    human = dice.coin()
    what = phrase.person(world, dice) if human else phrase.thing(world, dice)
    verb = dice.pick(("found", "saw", "noticed", "remembered"))
    frame = f"{phrase.someone(world, dice).text} {verb} the {what} _ {dice.pick(CAME)}."
    return fork(frame, *swap(human, "who", "which"))


def relative_pronoun_subject(world: World, dice: Dice) -> Twins:
    """ "The baker who disappeared was old." """
    human = dice.coin()
    what = phrase.person(world, dice) if human else phrase.thing(world, dice)
    end = f"{dice.pick(CAME)} {phrase.somewhere(world, dice)} was {dice.pick(LOOKS)}"
    return fork(f"the {what} _ {end}.", *swap(human, "who", "which"))


def _reflexive(subject: str, world: World, dice: Dice) -> str:
    frame = dice.pick(lexicon.REFLEXIVE_FRAMES)
    return f"{subject} {frame} {phrase.somewhere(world, dice)}."


def _group(world: World, dice: Dice, female: bool) -> str:
    """Several people of one gender, so that number alone decides."""
    if dice.coin():
        first, second = dice.two(world.girls if female else world.boys)
        return f"{first.text} and {second.text}"
    return f"the {dice.pick(world.female_nouns if female else world.male_nouns).plural}"


CONSTRUCTIONS = (
    Construction("anaphor_gender_agreement", "told", reflexive_gender),
    Construction("anaphor_number_agreement", "told", reflexive_number),
    Construction("reflexive_binding", "told", bound_in_own_clause),
    Construction("reflexive_binding", "told", bound_across_clause),
    Construction("reflexive_binding", "told", bound_to_relative),
    Construction("pronoun_case", "said", subject_case),
    Construction("pronoun_case", "said", object_case),
    Construction("relative_pronoun", "told", relative_pronoun),
    Construction("relative_pronoun", "told", relative_pronoun_subject),
)
