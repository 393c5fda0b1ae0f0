"""How large the operands are: as in ArithMark 2, or by number of digits."""

from typing import Protocol

from smidgen.data.arithmetic.expression import apply
from smidgen.data.arithmetic.weighted import Draw, Weighted
from smidgen.recipes.arithmetic import LARGEST_OPERAND, ArithmeticSettings

# ArithMark 2: operands mostly 0-80, some to about 150. The share of large ones is assumed.
LARGEST_USUAL_OPERAND = 80
SHARE_OF_LARGE_OPERANDS = 0.1
# A draw of 53 bits is exact for so many digits; longer numbers are put together from two.
DIGITS_OF_A_DRAW = 15
DIGITS_OF_A_TAIL = 10


class Sizes(Protocol):
    def operand(self, operator: str, draw: Draw) -> int: ...

    def usual(self, operator: str) -> int:
        """The largest operand that is drawn often."""

    def dividend(self, draw: Draw) -> int:
        """What a dividend may be at most."""

    def divisor(self, draw: Draw) -> int:
        """What a divisor may be at most."""

    def value(self, operator: str, left: int, right: int) -> int:
        """The exact result, or ``ArithmeticError`` for one that is no integer and for operands too large for it."""


class ArithMarkSizes:
    def operand(self, operator: str, draw: Draw) -> int:
        position = draw()
        if position < SHARE_OF_LARGE_OPERANDS:
            return int(draw() * (LARGEST_OPERAND + 1))
        return int(draw() * (LARGEST_USUAL_OPERAND + 1))

    def usual(self, operator: str) -> int:
        return LARGEST_USUAL_OPERAND

    def dividend(self, draw: Draw) -> int:
        return LARGEST_OPERAND

    def divisor(self, draw: Draw) -> int:
        return LARGEST_USUAL_OPERAND

    def value(self, operator: str, left: int, right: int) -> int:
        return apply(operator, left, right)


class DigitSizes:
    """Operands by number of digits, fewer of them for * and /."""

    def __init__(self, settings: ArithmeticSettings) -> None:
        limits = {"*": settings.multiplication_digits, "/": settings.division_digits}
        weights = list(enumerate(settings.digits, start=1))
        self._digits = {
            operator: Weighted(weights[: limits.get(operator)])
            for operator in "+-*/"
            if any(settings.digits[: limits.get(operator)])
        }
        self._bounds = {operator: 10**most for operator, most in limits.items()}

    def operand(self, operator: str, draw: Draw) -> int:
        return number_of_digits(self._digits[operator].at(draw()), draw)

    def usual(self, operator: str) -> int:
        return 10 ** self._digits[operator].items[-1] - 1

    def dividend(self, draw: Draw) -> int:
        return 10 ** self._digits["/"].at(draw()) - 1

    divisor = dividend

    def value(self, operator: str, left: int, right: int) -> int:
        bound = self._bounds.get(operator)
        if bound is not None and max(abs(left), abs(right)) >= bound:
            raise ArithmeticError
        return apply(operator, left, right)


def number_of_digits(digits: int, draw: Draw) -> int:
    """A number with exactly so many digits; 0 has one."""
    if digits > DIGITS_OF_A_DRAW:
        head = number_of_digits(digits - DIGITS_OF_A_TAIL, draw)
        return head * 10**DIGITS_OF_A_TAIL + int(draw() * 10**DIGITS_OF_A_TAIL)
    least = 10 ** (digits - 1) if digits > 1 else 0
    return least + int(draw() * (10**digits - least))
