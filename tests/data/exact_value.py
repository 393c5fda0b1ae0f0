"""Values by Python's own grammar and exact fractions: nothing here is shared with the generators."""

import ast
from fractions import Fraction


def exact_value(expression: str) -> Fraction:
    """The value of an expression; AssertionError for a division that is not exact."""
    return _value(ast.parse(expression.strip(), mode="eval").body)


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant):
        assert type(node.value) is int
        return Fraction(node.value)
    if isinstance(node, ast.UnaryOp):
        assert isinstance(node.op, ast.USub)
        assert isinstance(node.operand, ast.Constant)
        return -_value(node.operand)
    assert isinstance(node, ast.BinOp)
    left, right = _value(node.left), _value(node.right)
    if isinstance(node.op, ast.Div):
        assert (left / right).denominator == 1, "a division that is not exact"
        return left / right
    return {ast.Add: left + right, ast.Sub: left - right, ast.Mult: left * right}[type(node.op)]


def inner_values(expression: str) -> list[Fraction]:
    """The values of all parts of an expression that are worked out before it."""
    whole = ast.parse(expression.strip(), mode="eval").body
    return [_value(node) for node in ast.walk(whole) if isinstance(node, ast.BinOp) and node is not whole]


def false_lines(lines: list[str]) -> list[str]:
    """Those whose stages, with "=" between, do not all have one value."""
    return [line for line in lines if len({exact_value(stage) for stage in line.split("=")}) != 1]
