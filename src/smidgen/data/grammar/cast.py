"""The words that fill the braces of a plot for one document."""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon
from smidgen.data.grammar.phrase import deed
from smidgen.data.grammar.word import SHE, Noun, Person, with_article
from smidgen.data.grammar.world import World

MOODS = ("happy", "sad", "tired", "hungry", "proud", "busy")
WEATHERS = ("sunny", "rainy", "windy", "cold", "warm", "cloudy")
# "a {color} hat": the plots spell the article, so no color begins with a vowel.
COLORS = ("red", "blue", "green", "yellow", "white", "black", "brown", "purple")
PETS = ("Snowy", "Muffin", "Pepper", "Button", "Lucky", "Biscuit")


def fields(world: World, dice: Dice) -> dict[str, str]:
    hero, friend = world.names[:2]
    verb, what = deed(dice, lexicon.PLANNED_FRAMES)
    return (
        _hero(hero)
        | _friend(friend)
        | _nouns(world)
        | _places(world, dice)
        | {
            "mass": dice.pick(lexicon.MASS_FOODS),
            "mood": dice.pick(MOODS),
            "weather": dice.pick(WEATHERS),
            "pet": dice.pick(PETS),
            **_habits(dice),
            "doing": f"{verb.ing} {what}",
            **dict(zip(("color", "other_color"), dice.two(COLORS), strict=True)),
        }
    )


def _habits(dice: Dice) -> dict[str, str]:
    act, admire = dice.pick(lexicon.PERSON_ACTIONS), dice.pick(lexicon.PERSON_OBJECT)
    return {"act": act.base, "acts": act.third, "admire": admire.base, "admires": admire.third}


def _hero(hero: Person) -> dict[str, str]:
    pronouns = hero.pronouns
    return {
        "hero": hero.text,
        "he": pronouns.subject,
        "He": pronouns.subject.capitalize(),
        "him": pronouns.object,
        "his": pronouns.possessive,
        "himself": pronouns.reflexive,
        "a_girl": "a girl" if pronouns is SHE else "a boy",
    }


def _friend(friend: Person) -> dict[str, str]:
    pronouns = friend.pronouns
    return {
        "friend": friend.text,
        "fhe": pronouns.subject,
        "fhim": pronouns.object,
        "fhis": pronouns.possessive,
    }


def _nouns(world: World) -> dict[str, str]:
    animal = with_article(world.animals[0].singular)
    return {
        **_noun("worker", world.workers[0]),
        **_noun("animal", world.animals[0]),
        **_noun("thing", world.things[0]),
        **_noun("food", world.foods[0]),
        "an_animal": animal,
        "an_animal_cap": animal.capitalize(),
        "other_animals": world.animals[1].plural,
        "a_other_thing": with_article(world.things[1].singular),
    }


def _noun(field: str, noun: Noun) -> dict[str, str]:
    return {field: noun.singular, f"{field}s": noun.plural, f"a_{field}": with_article(noun.singular)}


def _places(world: World, dice: Dice) -> dict[str, str]:
    here, there = world.places[0], world.places[1]
    return {
        "place": here.name,
        "at_place": here.at,
        "to_place": here.to,
        "a_place_name": with_article(here.name),
        "other_place": there.name,
        "at_other": there.at,
        "to_other": there.to,
    }
