"""Training documents: word problems with their results, one a line, of which none is held out."""

from collections.abc import Iterator

from smidgen.data.arithmetic.documents import source_name
from smidgen.data.dice import Dice
from smidgen.data.document import Document
from smidgen.data.word_problems.telling import draw_problem
from smidgen.data.word_problems.templates import CATEGORIES
from smidgen.recipes.word_problems import WordProblemSettings


def word_problem_documents(
    *, seed: int, documents: int, first: int = 0, settings: WordProblemSettings | None = None
) -> Iterator[Document]:
    """Yield ``documents`` blocks of problems from number ``first``; block i depends on seed, i and settings only."""
    chosen = settings or WordProblemSettings()
    name = source_name("word-problems", chosen.changes(), seed)
    for index in range(first, first + documents):
        document_id = f"{name}-{index}"
        dice = Dice(document_id)
        lines = [_line(chosen, dice) for _ in range(chosen.problems)]
        yield Document(id=document_id, text="\n".join(lines) + "\n")


def _line(settings: WordProblemSettings, dice: Dice) -> str:
    problem = draw_problem(dice.pick(CATEGORIES), dice, held_out=False)
    return problem.told(with_formula=dice.chance(settings.formula_share))
