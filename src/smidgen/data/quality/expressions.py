"""Arithmetic in running text: every "59+45 =" in one normal form, so that spacing and signs do not hide it."""

import re
from collections.abc import Iterator

# Possessive throughout, and what follows is optional, so that a long chain without an answer is read once and not
# again from each of its numbers. For the same reason parentheses before the first number are looked for afterwards.
_NUMBER = r"[0-9]++(?:[ \t]*+\))*+"
_CHAIN = rf"{_NUMBER}(?:[ \t]*+[-+*/×÷−][ \t]*+(?:\([ \t]*+)*+{_NUMBER})++"
_QUESTION = re.compile(rf"({_CHAIN})[ \t]*+(=|equals\b)?")
_ANSWERED = re.compile(rf"\s*+((?:\([ \t]*+)*+{_CHAIN})\s*+(?:=\s*+(?:-?[0-9]++\s*+)?)?")
_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-", " ": None, "\t": None})
_CONTINUED = "+-*/×÷−)"


def normal_form(expression: str) -> str:
    """The expression without blanks and with * and / for × and ÷: "59 + 45" and "59+45" are one."""
    return expression.translate(_SIGNS)


def expression_of(text: str) -> str:
    """The normal form of a text that is nothing but an expression, with or without "=" and an answer; else empty."""
    found = _ANSWERED.fullmatch(text)
    return normal_form(found[1]) if found else ""


def answered_expressions(text: str) -> Iterator[str]:
    """The normal forms of all expressions of whole numbers in a text that "=" or "equals" follows, in order.

    Only whole ones: of "2 + 59 + 45 =" it is that, not "59+45", and of "0.5 + 4 =" nothing.
    """
    if "=" not in text and "equals" not in text:
        return
    for found in _QUESTION.finditer(text):
        if found[2]:
            start = _start_of(text, found.start())
            if not _is_continued(text, start):
                yield normal_form(text[start : found.end(1)])


def _start_of(text: str, number: int) -> int:
    """Where the parentheses before a number begin."""
    start = number
    for place in range(number - 1, -1, -1):
        if text[place] == "(":
            start = place
        elif text[place] not in " \t":
            break
    return start


def _is_continued(text: str, start: int) -> bool:
    """Whether the expression began before ``start``."""
    adjacent = text[start - 1 : start]
    if adjacent.isalnum() or adjacent == ".":
        return True
    # More blanks than these are taken for an end.
    return text[max(0, start - 8) : start].rstrip(" \t")[-1:] in {*_CONTINUED}
