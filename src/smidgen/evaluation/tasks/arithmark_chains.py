"""Items in the form of ArithMark 1: chains of 2 to 6 signed operands, whose answers may be decimal.

Seen in the first 30 items of the dataset: operands from -20 to 20, no parentheses, answers rounded to four places,
one decimal among the three distractors of 27 items. So "never choose the decimal" reaches a third, as it does there.
"""

from collections import Counter
from collections.abc import Container, Sequence
from fractions import Fraction
from random import Random

from smidgen.data.arithmetic import OPERATORS, Draw, is_held_out
from smidgen.errors import BadInput
from smidgen.evaluation.tasks.arithmark import expression_item, number_text
from smidgen.evaluation.tasks.item import Choice

FEWEST_OPERANDS, MOST_OPERANDS = 2, 6
LARGEST_OPERAND = 20
LARGEST_ANSWER = 2_000_000
LARGEST_GAP = 20
SHARE_OF_DECIMAL_ANSWERS = 0.1
SHARE_WITH_DECIMAL_DISTRACTOR = 0.9
DISTRACTORS = 3
# There are about 5,000 chains of two operands: stop when no new one comes up.
MOST_DRAWS_PER_ITEM = 10_000


def chain_items(*, seed: int, items: int) -> list[Choice]:
    """Distinct expressions, as many of each length, none of which can stand in the training text.

    Raises ``BadInput`` where there are not so many.
    """
    draw = Random(f"arithmark1-{seed}").random
    answers: dict[str, Fraction] = {}
    for number in range(items):
        operands = FEWEST_OPERANDS + number % (MOST_OPERANDS - FEWEST_OPERANDS + 1)
        expression, answer = _new_chain(operands, answers, draw)
        answers[expression] = answer
    seen: Counter[str] = Counter()
    return [_item(expression, answer, seen, draw) for expression, answer in answers.items()]


def _new_chain(count: int, known: Container[str], draw: Draw) -> tuple[str, Fraction]:
    decimal = draw() < SHARE_OF_DECIMAL_ANSWERS
    for _ in range(MOST_DRAWS_PER_ITEM):
        operands = [_whole(LARGEST_OPERAND, draw) for _ in range(count)]
        operators = [OPERATORS[int(draw() * len(OPERATORS))] for _ in operands[1:]]
        expression = str(operands[0]) + "".join(f" {o} {n}" for o, n in zip(operators, operands[1:], strict=True))
        # Training equations have no negative operands.
        if expression in known or not (min(operands) < 0 or is_held_out(expression)):
            continue
        try:
            answer = _value(operands, operators)
        except ZeroDivisionError:
            continue
        if abs(answer) <= LARGEST_ANSWER and _is_decimal(answer) == decimal:
            return expression, answer
    raise BadInput(f"no further chain of {count} operands was found; ask for fewer items (2,500 are possible)")


def _value(operands: Sequence[int], operators: Sequence[str]) -> Fraction:
    """Products first, then their sum."""
    terms = [Fraction(operands[0])]
    for operator, operand in zip(operators, operands[1:], strict=True):
        if operator == "*":
            terms[-1] *= operand
        elif operator == "/":
            terms[-1] /= operand
        else:
            terms.append(Fraction(operand if operator == "+" else -operand))
    return sum(terms, Fraction())


def _item(expression: str, answer: Fraction, seen: Counter[str], draw: Draw) -> Choice:
    right = number_text(float(answer))
    decimals = 2 if _is_decimal(answer) else int(draw() < SHARE_WITH_DECIMAL_DISTRACTOR)
    texts = {right: None}  # a dictionary keeps the order, so the same seed gives the same item
    while len(texts) <= DISTRACTORS:
        texts[_near(answer, len(texts) <= decimals, draw)] = None
    others = list(texts)[1:]
    label = int(draw() * (DISTRACTORS + 1))
    operands = len(expression.split()) // 2 + 1
    return expression_item(
        f"{expression} =", (*others[:label], right, *others[label:]), label, (f"{operands} operands",), seen
    )


def _near(answer: Fraction, decimal: bool, draw: Draw) -> str:
    while True:
        gap = (2 * draw() - 1) * LARGEST_GAP if decimal else _whole(LARGEST_GAP, draw)
        text = number_text(float(answer) + gap if decimal else round(answer) + gap)
        if ("." in text) == decimal:
            return text


def _is_decimal(answer: Fraction) -> bool:
    return "." in number_text(float(answer))


def _whole(largest: int, draw: Draw) -> int:
    return int(draw() * (2 * largest + 1)) - largest
