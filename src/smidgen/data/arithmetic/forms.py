"""The forms of expressions: where their operands, operators and parentheses stand."""

from collections.abc import Iterator


def expression_forms(operands: int, *, depth: int, group_terms: int) -> tuple[str, ...]:
    """Every form of so many operands, such as "n o (n o n)": n is an operand and o an operator.

    Parentheses nest at most ``depth`` deep and hold 2 to ``group_terms`` terms, never the whole expression. Forms
    with fewer of them come first. Depth 1 with 2 terms gives the 1, 3 and 5 forms of ArithMark 2 for 2 to 4 operands.
    """
    forms = [form for terms in range(2, operands + 1) for form in _rows(operands, terms, depth, group_terms)]
    return tuple(sorted(forms, key=lambda form: (form.count("("), form)))


def _rows(operands: int, terms: int, depth: int, group_terms: int) -> Iterator[str]:
    if terms == 1:
        yield from _terms(operands, depth, group_terms)
        return
    for first in range(1, operands - terms + 2):
        for head in _terms(first, depth, group_terms):
            yield from (f"{head} o {tail}" for tail in _rows(operands - first, terms - 1, depth, group_terms))


def _terms(operands: int, depth: int, group_terms: int) -> Iterator[str]:
    """A single operand, or parentheses around several."""
    if operands == 1:
        yield "n"
    elif depth:
        for terms in range(2, min(group_terms, operands) + 1):
            yield from (f"({row})" for row in _rows(operands, terms, depth - 1, group_terms))
