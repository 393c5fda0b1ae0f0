"""RACE (high school): the last question on an article, after the others with their answers."""

import ast

from smidgen.evaluation.tasks.benchmark import PLAIN, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row, place

LETTERS = "ABCD"
# A question that ends so is a sentence to complete.
BLANK = "  _  ."


def to_item(row: Row, number: int) -> Choice:
    *answered, last = _problems(row.text("problems"))
    before = "".join(_answered(problem) for problem in answered)
    context = f"Article: {row.text('article')}\n\n{before}{last.text('question')}"
    return question(number, context, last.texts("options"), _label(last))


def _problems(written: str) -> list[Row]:
    """The problems, which the dataset holds as the text of a Python list."""
    try:
        problems = ast.literal_eval(written)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        problems = None
    if not problems or not isinstance(problems, list) or not all(isinstance(problem, dict) for problem in problems):
        raise ValueError('field "problems" is not the text of a list of objects')
    return [Row(problem) for problem in problems]


def _answered(problem: Row) -> str:
    asked, answer = problem.text("question"), problem.texts("options")[_label(problem)]
    if asked.endswith(BLANK):
        # One of the two spaces before the blank stays.
        return f"{asked[: 1 - len(BLANK)]}{answer}\n"
    return f"Question: {asked}\nAnswer: {answer}\n"


def _label(problem: Row) -> int:
    return place(problem.text("answer"), LETTERS[: len(problem.texts("options"))])


RACE = Benchmark(
    name="race",
    title="RACE (high)",
    dataset="EleutherAI/race",
    configs=("high",),
    split="test",
    files=("race/test_high_lmeval",),
    to_item=to_item,
    metrics=PLAIN,
    licence="non-commercial research only",
    paper="https://arxiv.org/abs/1704.04683",
)
