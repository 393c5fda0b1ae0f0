"""What the equations are like that a model was trained on, so that a question beyond them can be told."""

from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.recipes.arithmetic import ANSWER_LIMIT, LARGEST_OPERAND, ArithmeticSettings
from smidgen.recipes.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainedEquations:
    """What the equations of one source of training text are like.

    ``operators`` are how many of them stand in one equation, ``largest`` is the largest operand of each, ``depth``
    how deep parentheses nest; ``largest_answer`` is None where only the operands bound it.
    """

    operators: tuple[int, ...]
    largest: dict[str, int]
    depth: int
    largest_answer: int | None
    negative_operands: bool
    negative_answers: bool

    def hold(self, numbers: Sequence[int], operators: Sequence[str], depth: int, answer: int) -> bool:
        """Whether an equation like this one can stand among them."""
        return (
            len(operators) in self.operators
            and all(operator in self.largest for operator in operators)
            and max(map(abs, numbers)) <= min(self.largest[operator] for operator in operators)
            and depth <= self.depth
            and (self.largest_answer is None or answer <= self.largest_answer)
            and (self.negative_operands or min(numbers) >= 0)
            and (self.negative_answers or answer >= 0)
        )


def trained_equations(recipe: Recipe) -> tuple[TrainedEquations, ...]:
    """Of every source of equations that the recipe's data has."""
    found = [source for source in recipe.data.sources.values() if source.generator == "arithmetic"]
    return tuple(_of((source.arithmetic or ArithmeticSettings()).resolved) for source in found)


def _of(settings: ArithmeticSettings) -> TrainedEquations:
    has_digits = bool(settings.digits)
    limits = {"*": settings.multiplication_digits, "/": settings.division_digits}
    largest: dict[str, int] = {}
    for operator in (name for name, weight in settings.operators.items() if weight):
        drawn = [digits for digits, weight in enumerate(settings.digits[: limits.get(operator)], start=1) if weight]
        largest[operator] = 10 ** max(drawn) - 1 if has_digits else LARGEST_OPERAND
    bound = settings.largest_answer
    return TrainedEquations(
        operators=tuple(count for count, weight in enumerate(settings.operands, start=1) if weight),
        largest=largest,
        depth=settings.depth,
        largest_answer=bound if bound is not None or has_digits else ANSWER_LIMIT - 1,
        negative_operands=settings.negative_operands > 0,
        negative_answers=settings.negative_answers,
    )
