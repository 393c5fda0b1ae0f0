"""What an equation asks for, as groups of a score: operators, sizes of numbers, carries and parentheses."""

import re

from smidgen.data.arithmetic import carries_of, solution

MOST_CARRIES = 3


def equation_groups(expression: str) -> tuple[str, ...]:
    """The groups of an expression of whole numbers such as "79 + (9 - 13) * 10".

    How many operators it has and which, the digits of its largest number, in how many columns its sums carry and its
    differences borrow, worked out from the left, and whether there are parentheses. Raises ``ValueError`` for no
    expression.
    """
    numbers = re.findall(r"\d+", expression)
    if not numbers:
        raise ValueError(f"{expression!r} has no whole numbers")
    found = re.findall(r"(?<=[\d)]) ?([-+*/])", expression)
    return (
        operators(len(found)),
        *(f"with {operator}" for operator in "+-*/" if operator in found),
        f"numbers of {digits(max(map(len, numbers)))}",
        *_carries(expression),
        _parentheses(expression),
    )


def operators(count: int) -> str:
    return f"{count} operator{'s' if count > 1 else ''}"


def digits(count: int) -> str:
    return f"{count} digit{'s' if count > 1 else ''}"


def _carries(expression: str) -> tuple[str, ...]:
    try:
        count = sum(_carries_in(*operation.split(" ")) for operation, _ in solution(expression))
    except (ArithmeticError, ValueError):
        # A division that leaves a remainder, or a form that is not read here.
        return ()
    if count >= MOST_CARRIES:
        return (f"{MOST_CARRIES} carries or more",)
    return (f"{count or 'no'} carr{'y' if count == 1 else 'ies'}",)


def _carries_in(left: str, operator: str, right: str) -> int:
    if operator in "*/":
        return 0
    first, second = int(left), int(right) if operator == "+" else -int(right)
    return carries_of(first, "+" if first * second >= 0 else "-", second)


def _parentheses(expression: str) -> str:
    depth = deepest = 0
    for character in expression:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return ("no parentheses", "parentheses")[deepest] if deepest < 2 else f"parentheses {deepest} deep"
