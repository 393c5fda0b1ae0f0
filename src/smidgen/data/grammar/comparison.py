""" "Than" asks for the comparative, "as" for the plain adjective."""

from smidgen.data.dice import Dice
from smidgen.data.grammar import lexicon, phrase
from smidgen.data.grammar.construction import Construction, Twins, fork
from smidgen.data.grammar.world import World


def more_than(world: World, dice: Dice) -> Twins:
    """ "Mia was taller than the baker." """
    adjective = dice.pick(lexicon.COMPARED)
    first, second = _rivals(world, dice)
    return fork(f"{first} was _ than {second}.", adjective.comparative, adjective.base)


def as_much_as(world: World, dice: Dice) -> Twins:
    """ "Mia was as tall as the baker." """
    adjective = dice.pick(lexicon.COMPARED)
    first, second = _rivals(world, dice)
    return fork(f"{first} was as _ as {second}.", adjective.base, adjective.comparative)


def _rivals(world: World, dice: Dice) -> tuple[str, str]:
    name, rival = dice.two(world.names)
    if dice.coin():
        return name.text, rival.text
    being = f"the {phrase.being(world, dice)}"
    return (name.text, being) if dice.coin() else (being, name.text)


CONSTRUCTIONS = (
    Construction("comparative_form", "told", more_than),
    Construction("comparative_form", "told", as_much_as),
)
