"""The "arithmetic" source: integer equations in the nine forms of ArithMark 2, and test items of the same forms.

One expression in twenty is held out by a hash of its text: training documents never hold it and test items
hold nothing else, so the check for contamination is exact and needs no list.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random

from smidgen.data.document import Document
from smidgen.errors import BadInput

FORMS: dict[int, tuple[str, ...]] = {
    1: ("n o n",),
    2: ("n o n o n", "(n o n) o n", "n o (n o n)"),
    3: ("n o n o n o n", "(n o n) o n o n", "n o (n o n) o n", "n o n o (n o n)", "(n o n) o (n o n)"),
}
OPERATORS = ("+", "-", "*", "/")

# Shares of 1, 2 and 3 operators. Items: 1,250 / 750 / 500 in ArithMark 2. Documents: as in a prototype that
# reached 95% / 78% / 61%; the longer forms are learned last and need more of the text.
ITEM_SHARES = (0.50, 0.30, 0.20)
DOCUMENT_SHARES = (0.28, 0.36, 0.36)

# ArithMark 2: operands mostly 0-80, some to about 150, answers below 1,000. The share of large ones is assumed.
LARGEST_USUAL_OPERAND = 80
LARGEST_OPERAND = 150
SHARE_OF_LARGE_OPERANDS = 0.1
ANSWER_LIMIT = 1_000
# Assumed: how likely 0 is as a dividend, against any other multiple of the divisor.
WEIGHT_OF_ZERO = 0.2
# Assumed: so many differences that would be negative are turned round, or few of them would become answers.
SHARE_TURNED_ROUND = 0.6

EQUATIONS_PER_DOCUMENT = 24
ONE_IN_HELD_OUT = 20
# About 1,700 held-out expressions with one operator can be drawn: stop when no new one comes up.
MOST_DRAWS_PER_ITEM = 50_000

OPTIONS = 4
LARGEST_NEAR_GAP = 9
LARGEST_HARD_GAP = 4  # tens

TOKEN = re.compile(r"\d+|[-+*/()no]")

# (operator, left, right, text with two holes); a leaf is a number, or None where one is still to be drawn.
Tree = tuple[str, "Tree | int | None", "Tree | int | None", str]
Draw = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Equation:
    """An expression such as "79 + (9 - 13) * 10" and its value."""

    expression: str
    answer: int
    operator_count: int

    @property
    def text(self) -> str:
        return f"{self.expression} = {self.answer}"


@dataclass(frozen=True, slots=True)
class ArithmeticItem:
    """A multiple-choice question with the fields of ArithMark 2; each ending has a leading space."""

    context: str
    endings: tuple[str, ...]
    label: int
    operator_count: int
    expression: str


def is_held_out(expression: str) -> bool:
    """Say whether an expression belongs to the test side; spaces do not matter."""
    digest = blake2b("".join(expression.split()).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % ONE_IN_HELD_OUT == 0


def arithmetic_documents(*, seed: int, documents: int) -> Iterator[Document]:
    """Yield blocks of equations, one a line; document ``i`` depends on ``seed`` and ``i`` only."""
    shapes = _all_shapes()
    for index in range(documents):
        # Only random() of a text seed: the sequence that Python promises to keep between versions.
        draw = Random(f"arithmetic-{seed}-{index}").random
        lines = [_training_line(shapes, draw) for _ in range(EQUATIONS_PER_DOCUMENT)]
        yield Document(id=f"arithmetic-{seed}-{index}", text="\n".join(lines) + "\n")


def arithmetic_items(*, seed: int, items: int, distractors: str = "near") -> list[ArithmeticItem]:
    """Return distinct held-out questions in ArithMark 2's shares of 1, 2 and 3 operators.

    ``distractors`` is "near" (values close by) or "hard": in half of these items all four options end in the
    same digit, ten or a few tens apart, as when a carry is dropped; in the other half two options belong to the
    answer and two to the same expression with one operator swapped. Answers of one digit get near values.
    """
    draw = Random(f"arithmetic-items-{seed}-{distractors}").random
    equations = _held_out_equations(items, draw)
    return [
        ArithmeticItem(
            context=f"{equation.expression} =",
            endings=tuple(f" {value}" for value in values),
            label=values.index(equation.answer),
            operator_count=equation.operator_count,
            expression=equation.expression,
        )
        for equation, values in zip(equations, options(equations, draw, distractors=distractors), strict=True)
    ]


def options(equations: Sequence[Equation], draw: Draw, *, distractors: str) -> list[tuple[int, ...]]:
    """Return four values for each equation, the answer among them; ``distractors`` as in ``arithmetic_items``.

    The answer takes every place, and by size every rank, equally often. Raises ``BadInput`` for other distractors.
    """
    builders = {"near": _near_choices, "hard": _hard_choices}
    if distractors not in builders:
        raise BadInput(f"Distractors {distractors!r} are unknown; choose 'near' or 'hard'.")
    choices = [builders[distractors](equation, draw) for equation in equations]
    rows = _balance_ranks(equations, choices, draw)
    labels = _shuffled([index % OPTIONS for index in range(len(equations))], draw)
    return [_placed(*parts, draw) for parts in zip(equations, rows, labels, strict=True)]


def value_of(expression: str) -> int:
    """Return the exact value of an expression such as "(52 / 13) + 4"; ``ArithmeticError`` where it is no integer."""
    return _evaluate(_parse(expression))


# Expressions


def _all_shapes() -> dict[int, tuple[tuple[Tree, ...], ...]]:
    """Return, by number of operators and form, a tree for every choice of operators."""
    return {
        count: tuple(tuple(_parse(text) for text in _operator_choices(form)) for form in forms)
        for count, forms in FORMS.items()
    }


def _operator_choices(form: str) -> Iterator[str]:
    head, hole, tail = form.partition("o")
    if not hole:
        yield form
        return
    for operator in OPERATORS:
        yield from (head + operator + rest for rest in _operator_choices(tail))


def _parse(expression: str) -> Tree:
    """Return the tree of an expression; "n" stands for an operand to be drawn."""
    tree = _parse_sum(TOKEN.findall(expression)[::-1])
    assert isinstance(tree, tuple), expression
    return tree


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
    if token != "(":
        return None if token == "n" else int(token)
    tree = _parse_sum(tokens)
    tokens.pop()
    assert isinstance(tree, tuple)
    return (*tree[:3], f"({tree[3]})")


def _apply(operator: str, left: int, right: int) -> int:
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


def _evaluate(tree: Tree | int | None) -> int:
    assert tree is not None
    if isinstance(tree, int):
        return tree
    return _apply(tree[0], _evaluate(tree[1]), _evaluate(tree[2]))


# Drawing equations


def _training_line(shapes: dict[int, tuple[tuple[Tree, ...], ...]], draw: Draw) -> str:
    count = _operator_count(draw)
    while True:
        answer, expression = _draw_expression(shapes[count], draw)
        if not is_held_out(expression):
            return f"{expression} = {answer}"


def _operator_count(draw: Draw) -> int:
    position = draw()
    return 1 if position < DOCUMENT_SHARES[0] else 2 if position < sum(DOCUMENT_SHARES[:2]) else 3


def _draw_expression(forms: tuple[tuple[Tree, ...], ...], draw: Draw) -> tuple[int, str]:
    """Draw a form, then operators and operands until they fit."""
    shapes = forms[int(draw() * len(forms))]
    while True:
        try:
            answer, expression = _grow(shapes[int(draw() * len(shapes))], draw)
        except ArithmeticError:
            continue
        if 0 <= answer < ANSWER_LIMIT:
            return answer, expression


def _grow(tree: Tree, draw: Draw) -> tuple[int, str]:
    """Return value and text of a tree whose operands are drawn to suit what stands beside them."""
    operator, left, right, text = tree
    if left is None and right is None:
        x, y = _draw_pair(operator, draw)
        return _apply(operator, x, y), text.format(x, y)
    if right is None:
        x, x_text = _grow(left, draw)  # type: ignore[arg-type]
        y = _draw_right(operator, x, draw)
        return _apply(operator, x, y), text.format(x_text, y)
    y, y_text = _grow(right, draw)  # type: ignore[arg-type]
    if left is None:
        x = _draw_left(operator, y, draw)
        return _apply(operator, x, y), text.format(x, y_text)
    x, x_text = _grow(left, draw)  # type: ignore[arg-type]
    return _apply(operator, x, y), text.format(x_text, y_text)


def _draw_operand(draw: Draw) -> int:
    position = draw()
    if position < SHARE_OF_LARGE_OPERANDS:
        return int(draw() * (LARGEST_OPERAND + 1))
    return int(draw() * (LARGEST_USUAL_OPERAND + 1))


def _draw_pair(operator: str, draw: Draw) -> tuple[int, int]:
    if operator == "/":
        # A product of two draws favours small divisors; else most quotients would be 0 or 1.
        divisor = 1 + int(draw() * draw() * LARGEST_USUAL_OPERAND)
        return _draw_left("/", divisor, draw), divisor
    one, two = _draw_operand(draw), _draw_operand(draw)
    if operator == "-" and one < two and draw() < SHARE_TURNED_ROUND:
        return two, one
    if operator == "*":
        two = _draw_factor(one, draw)
        return (one, two) if draw() < 0.5 else (two, one)
    return one, two


def _draw_factor(other: int, draw: Draw) -> int:
    """Draw an operand whose product with ``other`` stays below the limit of answers, where one exists."""
    limit = max(1, (ANSWER_LIMIT - 1) // (abs(other) or 1))
    return _draw_operand(draw) if limit >= LARGEST_USUAL_OPERAND else 1 + int(draw() * limit)


def _draw_right(operator: str, left: int, draw: Draw) -> int:
    if operator == "*":
        return _draw_factor(left, draw)
    if operator != "/":
        return _draw_operand(draw)
    divisor = 1 + int(draw() * min(abs(left) or LARGEST_OPERAND, LARGEST_OPERAND))
    while left % divisor:
        divisor -= 1
    return divisor


def _draw_left(operator: str, right: int, draw: Draw) -> int:
    if operator == "*":
        return _draw_factor(right, draw)
    if operator != "/":
        return _draw_operand(draw)
    quotients = LARGEST_OPERAND // (abs(right) or 1)
    return abs(right) * int(draw() * (quotients + WEIGHT_OF_ZERO) + 1 - WEIGHT_OF_ZERO)


# Test items


def _held_out_equations(items: int, draw: Draw) -> list[Equation]:
    shapes = _all_shapes()
    found: dict[str, Equation] = {}
    for count in _operator_counts(items, draw):
        equation = _new_held_out(count, shapes[count], found, draw)
        found[equation.expression] = equation
    return list(found.values())


def _operator_counts(items: int, draw: Draw) -> list[int]:
    one, two = round(items * ITEM_SHARES[0]), round(items * ITEM_SHARES[1])
    return _shuffled([1] * one + [2] * two + [3] * (items - one - two), draw)


def _new_held_out(
    count: int, forms: tuple[tuple[Tree, ...], ...], found: dict[str, Equation], draw: Draw
) -> Equation:
    for _ in range(MOST_DRAWS_PER_ITEM):
        answer, expression = _draw_expression(forms, draw)
        if is_held_out(expression) and expression not in found:
            return Equation(expression, answer, count)
    raise BadInput(
        f"No further held-out expression with {count} operator(s) was found after {len(found)} items; "
        "ask for fewer items (2,500, the size of ArithMark 2, is possible)."
    )


def _near_choices(equation: Equation, draw: Draw) -> list[tuple[int, ...]]:
    return _ladder(equation.answer, [1 + int(draw() * LARGEST_NEAR_GAP) for _ in range(OPTIONS - 1)])


def _hard_choices(equation: Equation, draw: Draw) -> list[tuple[int, ...]]:
    if equation.answer < 10:  # nothing below it ends in the same digit: it would always be the smallest
        return _near_choices(equation, draw)
    swapped = _swapped_choices(equation, draw) if draw() < 0.5 else []
    tens = [10 * (1 + int(draw() * LARGEST_HARD_GAP)) for _ in range(OPTIONS - 1)]
    return swapped or _ladder(equation.answer, tens)


def _ladder(answer: int, gaps: list[int]) -> list[tuple[int, ...]]:
    """Return rows of values with these gaps, one for every rank that the answer can take in them.

    The gaps do not depend on the rank, so they tell nothing about it.
    """
    rows = [tuple(answer + sum(gaps[:i]) - sum(gaps[:rank]) for i in range(OPTIONS)) for rank in range(OPTIONS)]
    return [row for row in rows if _are_possible(row)]


def _swapped_choices(equation: Equation, draw: Draw) -> list[tuple[int, ...]]:
    """Return the answer and the value after a swapped operator, each with a companion some tens away.

    Both come in pairs with the same last digit, so the one that is shared most often is no clue.
    """
    swapped = _swapped_values(equation)
    if not swapped:
        return []
    other = swapped[int(draw() * len(swapped))]
    step, other_step = (10 * (1 + int(draw() * LARGEST_HARD_GAP)) for _ in range(2))
    signs = [(one, two) for one in (-1, 1) for two in (-1, 1)]
    rows = [
        tuple(sorted((equation.answer, equation.answer + one * step, other, other + two * other_step)))
        for one, two in signs
    ]
    return [row for row in rows if _are_possible(row)]


def _swapped_values(equation: Equation) -> list[int]:
    """Return what the expression gives with one other operator, where that could be an answer."""
    values = set()
    for match in re.finditer(r"[-+*/]", equation.expression):
        for operator in OPERATORS:
            text = equation.expression[: match.start()] + operator + equation.expression[match.end() :]
            try:
                values.add(value_of(text))
            except ArithmeticError:
                continue
    return sorted(v for v in values if 0 <= v < ANSWER_LIMIT and (v - equation.answer) % 10)


def _are_possible(row: tuple[int, ...]) -> bool:
    return len(set(row)) == OPTIONS and min(row) >= 0 and max(row) < ANSWER_LIMIT


def _balance_ranks(
    equations: Sequence[Equation], choices: list[list[tuple[int, ...]]], draw: Draw
) -> list[tuple[int, ...]]:
    """Choose a row for each item so that the answer takes every rank by size equally often.

    Items with few choices (0 can only be the smallest) choose first; the others make up for them.
    """
    used: Counter[tuple[int, int]] = Counter()  # by number of operators, because scores are given by it
    chosen: dict[int, tuple[int, ...]] = {}
    order = _shuffled(list(range(len(equations))), draw)
    for index in sorted(order, key=lambda i: len(choices[i])):
        answer, count = equations[index].answer, equations[index].operator_count
        by_use = [(used[count, row.index(answer)], draw(), row) for row in choices[index]]
        chosen[index] = min(by_use)[2]
        used[count, chosen[index].index(answer)] += 1
    return [chosen[index] for index in range(len(equations))]


def _placed(equation: Equation, values: tuple[int, ...], label: int, draw: Draw) -> tuple[int, ...]:
    """Return the values in the order to be shown, the answer at position ``label``."""
    others = _shuffled([value for value in values if value != equation.answer], draw)
    return (*others[:label], equation.answer, *others[label:])


def _shuffled(values: list, draw: Draw) -> list:
    return [value for _, _, value in sorted((draw(), position, value) for position, value in enumerate(values))]
