"""Sums that carry and differences that borrow in every column that can."""

from smidgen.data.arithmetic.weighted import Draw


def carrying_addend(other: int, draw: Draw) -> int:
    """A number of as many digits whose sum with ``other`` carries in every column from the first that can.

    Only a 0 without a carry from its right cannot.
    """
    digits = _digits(other)
    addend, carry = 0, 0
    for place, digit in enumerate(digits):
        needed = 10 - digit - carry
        first = place == len(digits) - 1
        chosen = _between(0 if needed > 9 else max(needed, int(first)), 9, draw)
        addend += chosen * 10**place
        carry = int(digit + chosen + carry > 9)
    return addend


def borrowing_subtrahend(other: int, draw: Draw) -> int:
    """A number not above ``other`` that is taken from it with a borrow in every column from the first that can.

    The first digit never borrows, and a 9 without a borrow from its right cannot.
    """
    *lower, first = _digits(other)
    subtrahend, borrow = 0, 0
    for place, digit in enumerate(lower):
        needed = digit - borrow + 1
        chosen = _between(0 if needed > 9 else needed, 9, draw)
        subtrahend += chosen * 10**place
        borrow = int(digit < chosen + borrow)
    most = first - borrow
    return subtrahend + _between(min(1, most) if lower else 0, most, draw) * 10 ** len(lower)


def carries_of(left: int, operator: str, right: int) -> int:
    """How many columns carry in the sum, or borrow in the difference, of two numbers as they are worked out by hand.

    Signs are left away, and of a difference the smaller is taken from the larger.
    """
    large, small = sorted((abs(left), abs(right)), reverse=True)
    count, carry = 0, 0
    while large or small:
        large, digit = divmod(large, 10)
        small, other = divmod(small, 10)
        carry = int(digit + other + carry > 9) if operator == "+" else int(digit < other + carry)
        count += carry
    return count


def _digits(number: int) -> list[int]:
    """From the last to the first."""
    return [int(digit) for digit in reversed(str(number))]


def _between(least: int, most: int, draw: Draw) -> int:
    return least + int(draw() * (most - least + 1))
