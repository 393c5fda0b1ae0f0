"""Test items: multiple-choice questions with the fields of ArithMark 2, about held-out expressions alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from smidgen.data.arithmetic.distractors import AnswerRange, options, shuffled
from smidgen.data.arithmetic.documents import source_name
from smidgen.data.arithmetic.drawing import Drawing, answer_limit
from smidgen.data.arithmetic.expression import Equation
from smidgen.data.arithmetic.hold_out import is_held_out
from smidgen.data.arithmetic.weighted import Draw
from smidgen.errors import BadInput
from smidgen.recipes.arithmetic import FEWEST_OPERANDS, ArithmeticSettings

# 1,250 / 750 / 500 items with 2, 3 and 4 operands.
ARITHMARK_SHARES = (0.50, 0.30, 0.20)
# About 1,700 held-out expressions with one operator can be drawn: stop when no new one comes up.
MOST_DRAWS_PER_ITEM = 50_000


@dataclass(frozen=True, slots=True)
class ArithmeticItem:
    """A multiple-choice question with the fields of ArithMark 2; each ending has a leading space."""

    context: str
    endings: tuple[str, ...]
    label: int
    operator_count: int
    expression: str


def arithmetic_items(
    *, seed: int, items: int, distractors: str = "near", settings: ArithmeticSettings | None = None
) -> list[ArithmeticItem]:
    """Return distinct held-out questions: without ``settings`` in ArithMark 2's shares of 1, 2 and 3 operators.

    With settings the shares are their ``operands``; what they say about layout does not matter here.
    ``distractors`` is "near" (values close by) or "hard": in half of these items all four options end in the
    same digit, ten or a few tens apart, as when a carry is dropped (for answers from 1,000 on in any column); in the
    other half two options belong to the answer and two to the same expression with one operator swapped. Answers of
    one digit get near values. Raises ``BadInput`` where there are not so many.
    """
    chosen = (settings or ArithmeticSettings(operands=ARITHMARK_SHARES)).resolved
    changes = chosen.changes() if settings else {}
    draw = Random(source_name("arithmetic-items", changes, seed) + f"-{distractors}").random
    equations = _held_out_equations(items, chosen, draw)
    limit = answer_limit(chosen)
    answers = AnswerRange(1 - limit if chosen.negative_answers else 0, limit)
    rows = options(equations, draw, distractors=distractors, answers=answers)
    return [
        ArithmeticItem(
            context=f"{equation.expression} =",
            endings=tuple(f" {value}" for value in values),
            label=values.index(equation.answer),
            operator_count=equation.operator_count,
            expression=equation.expression,
        )
        for equation, values in zip(equations, rows, strict=True)
    ]


def _held_out_equations(items: int, settings: ArithmeticSettings, draw: Draw) -> list[Equation]:
    drawing = Drawing(settings)
    if settings.changes():
        drawing.require_possible()
    found: dict[str, Equation] = {}
    for operands in shuffled(_operands(items, settings.operands), draw):
        equation = _new_held_out(operands, drawing, found, draw)
        found[equation.expression] = equation
    return list(found.values())


def _operands(items: int, weights: Sequence[float]) -> list[int]:
    """The number of operands of each item: every weight's share to the nearest item, the last one what is left."""
    last = max(index for index, weight in enumerate(weights) if weight)
    counts = [round(items * weight / sum(weights)) for weight in weights[:last]]
    counts.append(max(0, items - sum(counts)))
    return [operands for operands, count in enumerate(counts, start=FEWEST_OPERANDS) for _ in range(count)][:items]


def _new_held_out(operands: int, drawing: Drawing, found: dict[str, Equation], draw: Draw) -> Equation:
    for _ in range(MOST_DRAWS_PER_ITEM):
        answer, expression = drawing.expression(operands, draw)
        if is_held_out(expression) and expression not in found:
            return Equation(expression, answer, operands - 1)
    raise BadInput(
        f"No further held-out expression with {operands - 1} operator(s) was found after {len(found)} items; "
        "ask for fewer items (2,500, the size of ArithMark 2, is possible with its settings)."
    )
