"""Test items by length: held-out sums, differences and products of two numbers that have equally many digits."""

from collections.abc import Iterator
from itertools import product
from random import Random

from smidgen.data.arithmetic.distractors import shuffled
from smidgen.data.arithmetic.expression import Equation, apply
from smidgen.data.arithmetic.hold_out import is_held_out
from smidgen.data.arithmetic.sizes import number_of_digits
from smidgen.data.arithmetic.weighted import Draw
from smidgen.errors import BadInput

# The most digits of an operand, by operator.
LONGEST = {"+": 20, "-": 20, "*": 6}
# Up to so many digits all pairs are looked at, because few of them are held out: of one digit one to five.
MOST_DIGITS_LISTED = 2
# About half of the differences of three digits that are held out.
MOST_ITEMS = 10_000


def equations_by_length(*, seed: int, items: int) -> dict[tuple[str, int], list[Equation]]:
    """``items`` distinct held-out equations for each operator and number of digits, or as many as there are.

    Of a difference the larger number comes first, as in ArithMark 2. What a length holds depends on the seed and
    ``items`` alone. Raises ``BadInput`` for more than 10,000 items.
    """
    if items > MOST_ITEMS:
        raise BadInput(f"{items:,} equations of each length are more than there may be; at most {MOST_ITEMS:,} work")
    return {
        (operator, digits): _equations(operator, digits, items, Random(f"lengths-{seed}-{operator}-{digits}").random)
        for operator, longest in LONGEST.items()
        for digits in range(1, longest + 1)
    }


def _equations(operator: str, digits: int, items: int, draw: Draw) -> list[Equation]:
    found: dict[str, Equation] = {}
    for one, two in _pairs(digits, draw):
        left, right = (max(one, two), min(one, two)) if operator == "-" else (one, two)
        expression = f"{left} {operator} {right}"
        if is_held_out(expression):
            found[expression] = Equation(expression, apply(operator, left, right), 1)
        if len(found) == items:
            break
    return list(found.values())


def _pairs(digits: int, draw: Draw) -> Iterator[tuple[int, int]]:
    """Numbers of so many digits; where there are few, all pairs of them in any order, else pairs without end."""
    if digits <= MOST_DIGITS_LISTED:
        numbers = range(10 ** (digits - 1) if digits > 1 else 0, 10**digits)
        yield from shuffled(list(product(numbers, repeat=2)), draw)
    else:
        while True:
            yield number_of_digits(digits, draw), number_of_digits(digits, draw)
