"""Expressions of whole numbers: their trees, their values, and the forms they are built after."""

import re
from dataclasses import dataclass

from smidgen.recipes.arithmetic import Operator

OPERATORS: tuple[Operator, ...] = ("+", "-", "*", "/")
TOKEN = re.compile(r"\d+|[-+*/()n]")

# (operator, left, right, text with two holes); a leaf is a number, or None where one is still to be drawn.
Tree = tuple[str, "Tree | int | None", "Tree | int | None", str]


@dataclass(frozen=True, slots=True)
class Equation:
    """An expression such as "79 + (9 - 13) * 10" and its value."""

    expression: str
    answer: int
    operator_count: int

    @property
    def text(self) -> str:
        return f"{self.expression} = {self.answer}"


def value_of(expression: str) -> int:
    """Return the exact value of an expression such as "(52 / 13) + 4"; ``ArithmeticError`` where it is no integer."""
    return _evaluate(parse(expression))


def parse(expression: str) -> Tree:
    """Return the tree of an expression; "n" stands for an operand to be drawn. Raises ``ValueError`` for no such."""
    try:
        tree = _parse_sum(TOKEN.findall(expression)[::-1])
    except IndexError:
        tree = None
    if not isinstance(tree, tuple):
        raise ValueError(f"{expression!r} is no expression of two or more whole numbers")
    return tree


def apply(operator: str, left: int, right: int) -> int:
    """Return the exact result, or raise ArithmeticError when there is no integer."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    quotient, remainder = divmod(left, right)
    if remainder:
        raise ArithmeticError
    return quotient


def _parse_sum(tokens: list[str]) -> Tree | int | None:
    tree = _parse_product(tokens)
    while tokens and tokens[-1] in "+-":
        operator = tokens.pop()
        tree = (operator, tree, _parse_product(tokens), f"{{}} {operator} {{}}")
    return tree


def _parse_product(tokens: list[str]) -> Tree | int | None:
    tree = _parse_operand(tokens)
    while tokens and tokens[-1] in "*/":
        operator = tokens.pop()
        tree = (operator, tree, _parse_operand(tokens), f"{{}} {operator} {{}}")
    return tree


def _parse_operand(tokens: list[str]) -> Tree | int | None:
    token = tokens.pop()
    if token == "n":
        return None
    if token == "-":
        return -int(tokens.pop())
    if token != "(":
        return int(token)
    tree = _parse_sum(tokens)
    tokens.pop()
    return (*tree[:3], f"({tree[3]})") if isinstance(tree, tuple) else tree


def _evaluate(tree: Tree | int | None) -> int:
    assert tree is not None
    if isinstance(tree, int):
        return tree
    return apply(tree[0], _evaluate(tree[1]), _evaluate(tree[2]))
