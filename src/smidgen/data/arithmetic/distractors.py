"""Wrong answers beside the right one, so that neither its place nor its size nor its digits give it away."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.data.arithmetic.expression import OPERATORS, Equation, value_of
from smidgen.data.arithmetic.weighted import Draw
from smidgen.errors import BadInput
from smidgen.recipes.arithmetic import ANSWER_LIMIT

Row = tuple[int, ...]

# A sign before a number follows a space and has none behind it.
OPERATOR = re.compile(r"(?<=[\d)] )[-+*/]")

OPTIONS = 4
LARGEST_NEAR_GAP = 9
LARGEST_HARD_GAP = 4  # tens


@dataclass(frozen=True, slots=True)
class AnswerRange:
    """The values that an answer may have: from ``least`` to below ``limit``."""

    least: int = 0
    limit: int = ANSWER_LIMIT

    def holds(self, row: Row) -> bool:
        """Whether these are different values that may all be answers."""
        return len(set(row)) == OPTIONS and min(row) >= self.least and max(row) < self.limit


def options(
    equations: Sequence[Equation], draw: Draw, *, distractors: str, answers: AnswerRange | None = None
) -> list[Row]:
    """Return four values for each equation, the answer among them; ``distractors`` as in ``arithmetic_items``.

    The answer takes every place, and by size every rank, equally often. ``answers`` says what a value may be: by
    default those of ArithMark 2. Raises ``BadInput`` for other distractors and for a range without room for four.
    """
    builders = {"near": _near_choices, "hard": _hard_choices}
    if distractors not in builders:
        raise BadInput(f"Distractors {distractors!r} are unknown; choose 'near' or 'hard'.")
    allowed = answers or AnswerRange()
    choices = [builders[distractors](equation, draw, allowed) for equation in equations]
    if not all(choices):
        raise BadInput(
            f"Between {allowed.least} and {allowed.limit - 1} there is no room for an answer and three values near "
            "it; allow larger answers."
        )
    rows = _balance_ranks(equations, choices, draw)
    labels = shuffled([index % OPTIONS for index in range(len(equations))], draw)
    return [_placed(*parts, draw) for parts in zip(equations, rows, labels, strict=True)]


def _near_choices(equation: Equation, draw: Draw, allowed: AnswerRange) -> list[Row]:
    return _ladder(equation.answer, [1 + int(draw() * LARGEST_NEAR_GAP) for _ in range(OPTIONS - 1)], allowed)


def _hard_choices(equation: Equation, draw: Draw, allowed: AnswerRange) -> list[Row]:
    size = abs(equation.answer)
    if size < 10:  # nothing below it ends in the same digit: it would always be the smallest
        return _near_choices(equation, draw, allowed)
    if equation.answer < 0:
        below_zero = AnswerRange(1, 1 - allowed.least)
        mirrored = _ladder(size, _hard_gaps(size, OPTIONS - 1, draw), below_zero)
        return [tuple(-value for value in reversed(row)) for row in mirrored] or _near_choices(
            equation, draw, allowed
        )
    above_zero = AnswerRange(max(0, allowed.least), allowed.limit)
    swapped = _swapped_choices(equation, draw, above_zero) if draw() < 0.5 else []
    gaps = _hard_gaps(size, OPTIONS - 1, draw)
    return swapped or _ladder(equation.answer, gaps, above_zero) or _near_choices(equation, draw, allowed)


def _hard_gaps(size: int, count: int, draw: Draw) -> list[int]:
    """A few tens; where answers are larger than in ArithMark 2, a few of what any column but the first stands for."""
    columns = len(str(size)) - 2 if size >= ANSWER_LIMIT else 0
    return [
        10 ** (1 + int(draw() * columns) if columns else 1) * (1 + int(draw() * LARGEST_HARD_GAP))
        for _ in range(count)
    ]


def _ladder(answer: int, gaps: list[int], allowed: AnswerRange) -> list[Row]:
    """Return rows of values with these gaps, one for every rank that the answer can take in them.

    The gaps do not depend on the rank, so they tell nothing about it.
    """
    rows = [tuple(answer + sum(gaps[:i]) - sum(gaps[:rank]) for i in range(OPTIONS)) for rank in range(OPTIONS)]
    return [row for row in rows if allowed.holds(row)]


def _swapped_choices(equation: Equation, draw: Draw, allowed: AnswerRange) -> list[Row]:
    """Return the answer and the value after a swapped operator, each with a companion some tens away.

    Both come in pairs with the same last digit, so the one that is shared most often is no clue.
    """
    swapped = _swapped_values(equation, allowed)
    if not swapped:
        return []
    other = swapped[int(draw() * len(swapped))]
    step, other_step = _hard_gaps(equation.answer, 2, draw)
    signs = [(one, two) for one in (-1, 1) for two in (-1, 1)]
    rows = [
        tuple(sorted((equation.answer, equation.answer + one * step, other, other + two * other_step)))
        for one, two in signs
    ]
    return [row for row in rows if allowed.holds(row)]


def _swapped_values(equation: Equation, allowed: AnswerRange) -> list[int]:
    """Return what the expression gives with one other operator, where that could be an answer."""
    values = set()
    for match in OPERATOR.finditer(equation.expression):
        for operator in OPERATORS:
            text = equation.expression[: match.start()] + operator + equation.expression[match.end() :]
            try:
                values.add(value_of(text))
            except ArithmeticError:
                continue
    return sorted(v for v in values if allowed.least <= v < allowed.limit and (v - equation.answer) % 10)


def _balance_ranks(equations: Sequence[Equation], choices: list[list[Row]], draw: Draw) -> list[Row]:
    """Choose a row for each item so that the answer takes every rank by size equally often.

    Items with few choices (0 can only be the smallest) choose first; the others make up for them.
    """
    used: Counter[tuple[int, int]] = Counter()  # by number of operators, because scores are given by it
    chosen: dict[int, Row] = {}
    order = shuffled(list(range(len(equations))), draw)
    for index in sorted(order, key=lambda i: len(choices[i])):
        answer, count = equations[index].answer, equations[index].operator_count
        by_use = [(used[count, row.index(answer)], draw(), row) for row in choices[index]]
        chosen[index] = min(by_use)[2]
        used[count, chosen[index].index(answer)] += 1
    return [chosen[index] for index in range(len(equations))]


def _placed(equation: Equation, values: Row, label: int, draw: Draw) -> Row:
    """Return the values in the order to be shown, the answer at position ``label``."""
    others = shuffled([value for value in values if value != equation.answer], draw)
    return (*others[:label], equation.answer, *others[label:])


def shuffled(values: list, draw: Draw) -> list:
    return [value for _, _, value in sorted((draw(), position, value) for position, value in enumerate(values))]
