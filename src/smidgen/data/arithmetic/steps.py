"""Solving an expression one operation at a time: "7 * (3 + 2)", "7 * 5", "35"."""

from collections.abc import Iterator

from smidgen.data.arithmetic.expression import Tree, apply, parse


def solution(expression: str) -> Iterator[tuple[str, str]]:
    """For each step the operation worked out, such as "3 + 2", and what the expression is after it.

    Each step takes the first operation, from the left, that has two numbers; the last one leaves the answer.
    """
    tree: Tree | int = parse(expression)
    while isinstance(tree, tuple):
        operation, tree = _step(tree)
        yield operation, _text(tree)


def _step(tree: Tree) -> tuple[str, Tree | int]:
    operator, left, right, text = tree
    if isinstance(left, tuple):
        operation, left = _step(left)
    elif isinstance(right, tuple):
        operation, right = _step(right)
    else:
        assert left is not None
        assert right is not None
        return f"{left} {operator} {right}", apply(operator, left, right)
    return operation, (operator, left, right, text)


def _text(tree: Tree | int | None) -> str:
    if isinstance(tree, tuple):
        return tree[3].format(_text(tree[1]), _text(tree[2]))
    return str(tree)
