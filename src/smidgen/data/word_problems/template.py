"""A kind of word problem, and the problems told after it."""

from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.data.arithmetic import is_held_out, value_of
from smidgen.data.dice import Dice
from smidgen.data.word_problems.words import NAMES, unit
from smidgen.recipes.arithmetic import ANSWER_LIMIT


@dataclass(frozen=True, slots=True)
class Problem:
    """A story without its result, the formula with its numbers, and the result with the unit it is counted in."""

    category: str
    story: str
    formula: str
    answer: int
    unit: str

    def told(self, *, with_formula: bool = False) -> str:
        """The whole story, with the formula in front of the result if asked for."""
        formula = f"{self.formula} = " if with_formula else ""
        return f"{self.story} {formula}{self.ending(self.answer)}"

    def ending(self, value: int) -> str:
        """What the story ends with if ``value`` is the result."""
        return f"{value} {unit(self.unit, value)}."


@dataclass(frozen=True, slots=True)
class Template:
    """A story whose last words ask for a number of ``unit``.

    Story and formula have places for the numbers a, b, c, drawn from ``numbers``, and q, the whole part of a / b.
    The story has places for a {name} and another one, {other}, and for {things}, one of ``things``; so may the unit.
    """

    category: str
    story: str
    formula: str
    unit: str
    numbers: tuple[Sequence[int], ...]
    things: tuple[str, ...] = ()

    def draw(self, dice: Dice, *, held_out: bool) -> Problem | None:
        """A problem, or none where the numbers drawn have no result from 1 to 999 or are on the other side."""
        chosen = [dice.pick(each) for each in self.numbers]
        values = dict(zip("abc", chosen, strict=False), q=chosen[0] // chosen[1])
        formula = self.formula.format_map(values)
        try:
            answer = value_of(formula)
        except ArithmeticError:
            return None
        if not 0 < answer < ANSWER_LIMIT or is_held_out(formula) != held_out:
            return None
        name, other = dice.two(NAMES)
        words = {**values, "name": name, "other": other, "things": dice.pick(self.things) if self.things else ""}
        return Problem(self.category, self.story.format_map(words), formula, answer, self.unit.format_map(words))
