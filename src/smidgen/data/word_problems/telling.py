"""Drawing problems of a category on one side of the split."""

from smidgen.data.dice import Dice
from smidgen.data.word_problems.template import Problem
from smidgen.data.word_problems.templates import CATEGORIES, TEMPLATES

BY_CATEGORY = {name: [each for each in TEMPLATES if each.category == name] for name in CATEGORIES}
# Of sharing among several, one draw in seven has a whole result, and one formula in twenty is held out.
MOST_DRAWS = 10_000


def draw_problem(category: str, dice: Dice, *, held_out: bool) -> Problem:
    """A problem of this category for tests or, where not ``held_out``, for training."""
    template = dice.pick(BY_CATEGORY[category])
    for _ in range(MOST_DRAWS):
        problem = template.draw(dice, held_out=held_out)
        if problem is not None:
            return problem
    raise AssertionError(f"{template.story!r} has no problem that is {'' if held_out else 'not '}held out")
