"""What to know of a prompt that asks for the value of an expression: has it one, and did training hold such.

``equations.js`` of the web page says the same in the same words.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from smidgen.data.arithmetic.expression import parse, value_of
from smidgen.recipes.trained_equations import TrainedEquations

# Longer lines are no questions that anyone waits for.
LONGEST_LINE = 200
QUESTION = re.compile(r"[\d\s+*/()-]*\d[\d\s+*/()-]*=")
GROUP = re.compile(r"\(-?n(?:[-+*/]-?n)*\)")
EXPRESSION = re.compile(r"-?n(?:[-+*/]-?n)*")


def remarks(prompt: str, trained: Sequence[TrainedEquations]) -> list[str]:
    """What to tell whoever asks; nothing where the last line is no question "expression =" or all is well."""
    line = prompt.rpartition("\n")[2].strip()
    known = "".join(_known_digit(character) for character in line)
    if not trained or len(line) > LONGEST_LINE or not _is_question(known):
        return []
    if known != line:
        return [f"The model knows the digits 0 to 9; those of {line} are letters to it. Write {known}"]
    expression = known[:-1].strip()
    try:
        answer = value_of(expression)
    except ZeroDivisionError:
        return [f"{expression} divides by zero: it has no value, whatever the model writes."]
    except ArithmeticError:
        return [f"{expression} leaves a remainder: the model has learned whole numbers alone."]
    except ValueError:
        return []
    numbers, operators = _parts(parse(expression))
    depth = _depth(expression)
    if any(equations.hold(numbers, operators, depth, answer) for equations in trained):
        return []
    return [f"{expression} lies outside of what the model was trained on ({_described(trained)}): a guess."]


def _known_digit(character: str) -> str:
    """A digit of any script as one of 0 to 9; full-width operators as theirs."""
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    return unicodedata.normalize("NFKC", character) if character in "＋－＊／（）＝" else character


def _is_question(line: str) -> bool:
    if not QUESTION.fullmatch(line) or re.search(r"\d\s+\d", line):
        return False
    shape = re.sub(r"\d+", "n", re.sub(r"\s", "", line[:-1]))
    if shape.count("n") < 2:
        return False
    while (shorter := GROUP.sub("n", shape)) != shape:
        shape = shorter
    return bool(EXPRESSION.fullmatch(shape))


def _parts(tree: Any) -> tuple[list[int], list[str]]:
    """The numbers and the operators of a tree."""
    if isinstance(tree, int):
        return [tree], []
    numbers, operators = _parts(tree[1])
    more_numbers, more_operators = _parts(tree[2])
    return numbers + more_numbers, [*operators, tree[0], *more_operators]


def _depth(expression: str) -> int:
    depth = deepest = 0
    for character in expression:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def _described(trained: Sequence[TrainedEquations]) -> str:
    """Such as: 1 operator with numbers to 999,999; 2 operators with numbers to 150."""
    largest: dict[int, int] = {}
    for equations in trained:
        for count in equations.operators:
            largest[count] = max(largest.get(count, 0), *equations.largest.values())
    return "; ".join(
        f"{count} operator{'s' if count > 1 else ''} with numbers to {most:,}"
        for count, most in sorted(largest.items())
    )
