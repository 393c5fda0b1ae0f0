"""Test items: multiple-choice word problems with the fields of ArithMark 3, about held-out formulas alone.

Unlike the official file, where the right number is always one of the two middle ones, the right number takes every
rank by size equally often. All four endings of an item have the same words.
"""

import re
from dataclasses import dataclass

from smidgen.data.arithmetic import Equation, options
from smidgen.data.dice import Dice
from smidgen.data.word_problems.telling import draw_problem
from smidgen.data.word_problems.template import Problem
from smidgen.data.word_problems.templates import CATEGORIES
from smidgen.errors import BadInput

MOST_DRAWS_PER_ITEM = 2_000


@dataclass(frozen=True, slots=True)
class WordProblemItem:
    """A question with the fields of ArithMark 3; each ending has a leading space."""

    context: str
    endings: tuple[str, ...]
    label: int
    category: str
    formula: str


def word_problem_items(*, seed: int, items: int, distractors: str = "near") -> list[WordProblemItem]:
    """Distinct held-out problems, the categories in turn; ``distractors`` as for ``arithmetic_items``.

    Raises ``BadInput`` where there are not so many.
    """
    dice = Dice(f"word-problem-items-{seed}-{distractors}")
    problems: dict[str, Problem] = {}
    for number in range(items):
        problem = _new_problem(CATEGORIES[number % len(CATEGORIES)], problems, dice)
        problems[problem.story] = problem
    equations = [Equation(each.formula, each.answer, _operators(each.formula)) for each in problems.values()]
    rows = options(equations, dice.random, distractors=distractors)
    return [
        WordProblemItem(
            context=problem.story,
            endings=tuple(f" {problem.ending(value)}" for value in values),
            label=values.index(problem.answer),
            category=problem.category,
            formula=problem.formula,
        )
        for problem, values in zip(problems.values(), rows, strict=True)
    ]


def _new_problem(category: str, known: dict[str, Problem], dice: Dice) -> Problem:
    for _ in range(MOST_DRAWS_PER_ITEM):
        problem = draw_problem(category, dice, held_out=True)
        if problem.story not in known:
            return problem
    raise BadInput(
        f"after {len(known)} problems no further one of the category {category!r} was found; ask for fewer"
    )


def _operators(formula: str) -> int:
    return len(re.findall(r"[-+*/]", formula))
