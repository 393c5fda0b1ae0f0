"""How an equation is written on its line."""

from collections.abc import Sequence

from smidgen.data.arithmetic.weighted import Draw
from smidgen.recipes.arithmetic import ArithmeticSettings

# Places of loosely written equations have no space, one or two.
SPACES = ("", " ", "  ")


def line_of(stages: Sequence[str], settings: ArithmeticSettings, draw: Draw) -> str:
    """The expression, its stages and its answer with "=" between; without settings for it nothing is drawn."""
    if settings.reversed_share and len(stages) == 2 and draw() < settings.reversed_share:
        stages = stages[::-1]
    line = " = ".join(stages)
    if not settings.compact_share and not settings.loose_share:
        return line
    position = draw()
    if position < settings.compact_share:
        return line.replace(" ", "")
    if position < settings.compact_share + settings.loose_share:
        first, *rest = line.split(" ")
        return first + "".join(f"{SPACES[int(draw() * len(SPACES))]}{word}" for word in rest)
    return line
