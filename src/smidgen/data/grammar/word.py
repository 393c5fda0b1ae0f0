"""Nouns, verbs, adjectives, people and places, with every form that the sentences need."""

from dataclasses import dataclass

VOWELS = "aeiou"
# Verbs of the lexicon whose last consonant doubles: `stop`, `stopped`; English has no shorter rule.
DOUBLING = frozenset(("begin", "drop", "forget", "grab", "hug", "run", "sit", "swim", "wrap"))


@dataclass(frozen=True, slots=True)
class Pronouns:
    subject: str
    object: str
    possessive: str
    reflexive: str


SHE = Pronouns("she", "her", "her", "herself")
HE = Pronouns("he", "him", "his", "himself")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be named: "Mia", "the king"."""

    text: str
    pronouns: Pronouns


@dataclass(frozen=True, slots=True)
class Noun:
    singular: str
    plural: str


@dataclass(frozen=True, slots=True)
class Verb:
    base: str
    third: str
    past: str
    participle: str
    ing: str


@dataclass(frozen=True, slots=True)
class Adjective:
    base: str
    comparative: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happens: ``at`` is "in the garden", ``near`` "near the garden"."""

    name: str
    at: str
    to: str
    near: str


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def rows(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(words(row) for row in text.split(","))


def noun(singular: str, plural: str | None = None) -> Noun:
    return Noun(singular, plural or _with_s(singular))


def regular(base: str) -> Verb:
    past = base[:-1] + "ied" if _ends_in_y(base) else _stem(base) + "ed"
    return Verb(base, _with_s(base), past, past, _stem(base) + "ing")


def irregular(base: str, past: str, participle: str) -> Verb:
    stem = base if base.endswith("ee") else _stem(base)
    return Verb(base, _with_s(base), past, participle, stem + "ing")


def adjective(base: str) -> Adjective:
    if base.endswith("y"):
        return Adjective(base, base[:-1] + "ier")
    return Adjective(base, base.removesuffix("e") + "er")


def place(preposition: str, name: str) -> Place:
    return Place(name, f"{preposition} the {name}", f"to the {name}", f"near the {name}")


def with_article(phrase: str) -> str:
    """ "a box", "an old box"."""
    return f"{article(phrase)} {phrase}"


def article(phrase: str) -> str:
    # The lexicon keeps out the words whose first letter misleads, such as "hour" and "uniform".
    return "an" if phrase[0] in VOWELS else "a"


def capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _ends_in_y(base: str) -> bool:
    return base.endswith("y") and base[-2] not in VOWELS


def _with_s(base: str) -> str:
    if _ends_in_y(base):
        return base[:-1] + "ies"
    if base.endswith(("s", "x", "z", "ch", "sh")) or base in ("go", "do", "potato", "tomato"):
        return base + "es"
    return base + "s"


def _stem(base: str) -> str:
    """What stays in front of -ed and -ing: `bake` gives `bak`, `drop` gives `dropp`."""
    if base in DOUBLING:
        return base + base[-1]
    return base.removesuffix("e")
