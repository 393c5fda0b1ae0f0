"""Drawing expressions whose operands suit each other, so that most of them have an answer that is allowed."""

from itertools import product
from math import prod
from random import Random

from smidgen.data.arithmetic.carrying import borrowing_subtrahend, carrying_addend
from smidgen.data.arithmetic.expression import OPERATORS, Tree, parse
from smidgen.data.arithmetic.forms import expression_forms
from smidgen.data.arithmetic.sizes import ArithMarkSizes, DigitSizes, Sizes
from smidgen.data.arithmetic.weighted import Draw, Weighted
from smidgen.errors import BadInput
from smidgen.recipes.arithmetic import ANSWER_LIMIT, FEWEST_OPERANDS, ArithmeticSettings

# No settings lead beyond this: eight operands of 20 digits, or products of two numbers of 10.
NO_LIMIT = 10**30
# Assumed: how likely 0 is as a dividend, against any other multiple of the divisor.
WEIGHT_OF_ZERO = 0.2
# Assumed: so many differences that would be negative are turned round, or few of them would become answers.
SHARE_TURNED_ROUND = 0.6
# Larger divisors of a value that is there already would take long to find.
LARGEST_SOUGHT_DIVISOR = 150
# The trees of longer forms are too many to keep.
MOST_OPERATORS_KEPT = 3
# Where one draw in 1,000 fits (`require_possible`), this many in vain do not happen.
DRAWS_TO_TRY = 1_000
MOST_DRAWS = 100_000


class Drawing:
    """Draws expressions after settings. Every number comes from ``draw``, in an order that they alone decide."""

    def __init__(self, settings: ArithmeticSettings) -> None:
        self._settings = settings
        self._sizes: Sizes = DigitSizes(settings) if settings.digits else ArithMarkSizes()
        self._value = self._sizes.value
        self._operands = Weighted(enumerate(settings.operands, start=FEWEST_OPERANDS))
        self._forms: dict[int, _Forms] = {}
        self._answer_limit = answer_limit(settings)
        self._least_answer = 1 - self._answer_limit if settings.negative_answers else 0
        self._least_inside = -NO_LIMIT if settings.negative_intermediates else 0
        self._carry_share, self._negative_operands = settings.carry_share, settings.negative_operands

    def operands(self, draw: Draw) -> int:
        """How many operands the next expression has."""
        return self._operands.at(draw())

    def expression(self, operands: int, draw: Draw) -> tuple[int, str]:
        """Answer and text: draws a form, then operators and operands until they fit. Raises ``BadInput``."""
        forms = self._forms_of(operands)
        form = forms.draw(draw)
        for _ in range(MOST_DRAWS):
            found = self._attempt(forms.tree(form, draw), draw)
            if found:
                return found
        raise self._out_of_reach(operands)

    def require_possible(self) -> None:
        """Raise ``BadInput`` where expressions that fit are too rare to be found by drawing."""
        for operands in self._operands.items:
            # Only random() of a text seed: the sequence that Python promises to keep between versions.
            forms, draw = self._forms_of(operands), Random(f"possible-{operands}").random
            trees = (forms.tree(forms.draw(draw), draw) for _ in range(DRAWS_TO_TRY))
            if not any(self._attempt(tree, draw) for tree in trees):
                raise self._out_of_reach(operands)

    def _forms_of(self, operands: int) -> "_Forms":
        if operands not in self._forms:
            self._forms[operands] = _Forms(operands, self._settings)
        return self._forms[operands]

    def _out_of_reach(self, operands: int) -> BadInput:
        most = self._answer_limit - 1
        answers = "" if most >= NO_LIMIT - 1 else f" and answers up to {most:,}"
        sizes = "these digits" if self._settings.digits else "operands up to 150"
        return BadInput(
            f"arithmetic: {DRAWS_TO_TRY:,} draws gave no equation of {operands} operands with {sizes}{answers}; "
            "allow larger answers, smaller operands or more operators"
        )

    def _attempt(self, tree: Tree, draw: Draw) -> tuple[int, str] | None:
        try:
            answer, text = self._grow(tree, draw)
        except ArithmeticError:
            return None
        return (answer, text) if self._least_answer <= answer < self._answer_limit else None

    def _grow(self, tree: Tree, draw: Draw) -> tuple[int, str]:
        """Return value and text of a tree whose operands are drawn to suit what stands beside them."""
        operator, left, right, text = tree
        if left is None and right is None:
            x, y = self._pair(operator, draw)
            if self._negative_operands:
                x, y = self._signed(x, draw), self._signed(y, draw)
            return self._value(operator, x, y), text.format(x, y)
        if right is None:
            x, x_text = self._inner(left, draw)
            y = self._signed(self._right(operator, x, draw), draw)
            return self._value(operator, x, y), text.format(x_text, y)
        y, y_text = self._inner(right, draw)
        if left is None:
            x = self._signed(self._left(operator, y, draw), draw)
            return self._value(operator, x, y), text.format(x, y_text)
        x, x_text = self._inner(left, draw)
        return self._value(operator, x, y), text.format(x_text, y_text)

    def _inner(self, tree: Tree | int | None, draw: Draw) -> tuple[int, str]:
        assert isinstance(tree, tuple)
        value, text = self._grow(tree, draw)
        if value < self._least_inside:
            raise ArithmeticError
        return value, text

    def _signed(self, number: int, draw: Draw) -> int:
        return -number if self._negative_operands and draw() < self._negative_operands else number

    def _pair(self, operator: str, draw: Draw) -> tuple[int, int]:
        sizes = self._sizes
        if operator == "/":
            # A product of two draws favours small divisors; else most quotients would be 0 or 1.
            most = sizes.divisor(draw)
            divisor = 1 + int(draw() * draw() * most)
            return self._left("/", divisor, draw), divisor
        one, two = sizes.operand(operator, draw), sizes.operand(operator, draw)
        if operator == "*":
            two = self._factor(one, draw)
            return (one, two) if draw() < 0.5 else (two, one)
        if operator == "-" and one < two and draw() < SHARE_TURNED_ROUND:
            one, two = two, one
        if self._carry_share and draw() < self._carry_share:
            two = carrying_addend(one, draw) if operator == "+" else borrowing_subtrahend(one, draw)
        return one, two

    def _factor(self, other: int, draw: Draw) -> int:
        """Draw an operand whose product with ``other`` stays below the limit of answers, where one exists."""
        limit = max(1, (self._answer_limit - 1) // (abs(other) or 1))
        return self._sizes.operand("*", draw) if limit >= self._sizes.usual("*") else 1 + int(draw() * limit)

    def _right(self, operator: str, left: int, draw: Draw) -> int:
        if operator == "*":
            return self._factor(left, draw)
        if operator != "/":
            return self._sizes.operand(operator, draw)
        divisor = 1 + int(draw() * min(abs(left) or LARGEST_SOUGHT_DIVISOR, LARGEST_SOUGHT_DIVISOR))
        while left % divisor:
            divisor -= 1
        return divisor

    def _left(self, operator: str, right: int, draw: Draw) -> int:
        if operator == "*":
            return self._factor(right, draw)
        if operator != "/":
            return self._sizes.operand(operator, draw)
        quotients = self._sizes.dividend(draw) // (abs(right) or 1)
        return abs(right) * int(draw() * (quotients + WEIGHT_OF_ZERO) + 1 - WEIGHT_OF_ZERO)


class _Forms:
    """The forms of one number of operands, and what they look like with operators in their places."""

    def __init__(self, operands: int, settings: ArithmeticSettings) -> None:
        self._texts = expression_forms(operands, depth=settings.depth, group_terms=settings.group_terms)
        weights = {operator: settings.operators[operator] for operator in OPERATORS if operator in settings.operators}
        choices = product(weights.items(), repeat=operands - 1)
        self._operators = Weighted(
            (tuple(operator for operator, _ in each), prod(weight for _, weight in each)) for each in choices
        )
        self._trees: list[dict[tuple[str, ...], Tree]] = [{} for _ in self._texts]
        self._keep = operands - 1 <= MOST_OPERATORS_KEPT

    def draw(self, draw: Draw) -> int:
        return int(draw() * len(self._texts))

    def tree(self, form: int, draw: Draw) -> Tree:
        """The tree of a form with operators drawn."""
        operators = self._operators.at(draw())
        tree = self._trees[form].get(operators)
        if tree is None:
            tree = parse(self._texts[form].replace("o", "{}").format(*operators))
            if self._keep:
                self._trees[form][operators] = tree
        return tree


def answer_limit(settings: ArithmeticSettings) -> int:
    """The number that answers stay below."""
    if settings.largest_answer is not None:
        return settings.largest_answer + 1
    return NO_LIMIT if settings.digits else ANSWER_LIMIT
