"""SciQ: science questions, each after a paragraph that supports the answer where there is one."""

from smidgen.evaluation.tasks.benchmark import NORMALISED, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row

ANSWERS = ("distractor1", "distractor2", "distractor3", "correct_answer")


def to_item(row: Row, number: int) -> Choice:
    context = f"{row.text('support').lstrip()}\nQuestion: {row.text('question')}\nAnswer:"
    return question(number, context, [row.text(name) for name in ANSWERS], ANSWERS.index("correct_answer"))


SCIQ = Benchmark(
    name="sciq",
    title="SciQ",
    dataset="allenai/sciq",
    split="test",
    files=("sciq/test", "sciq/validation"),
    to_item=to_item,
    metrics=NORMALISED,
    licence="CC-BY-NC-3.0",
    paper="https://arxiv.org/abs/1707.06209",
)
