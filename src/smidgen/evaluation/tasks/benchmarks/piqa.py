"""PIQA: which of two ways reaches an everyday goal?"""

from smidgen.evaluation.tasks.benchmark import NORMALISED, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row


def to_item(row: Row, number: int) -> Choice:
    solutions = [row.text("sol1"), row.text("sol2")]
    return question(number, f"Question: {row.text('goal')}\nAnswer:", solutions, row.number("label"))


PIQA = Benchmark(
    name="piqa",
    title="PIQA",
    dataset="baber/piqa",
    split="validation",
    files=("piqa/validation",),
    to_item=to_item,
    metrics=NORMALISED,
    licence="AFL-3.0",
    paper="https://arxiv.org/abs/1911.11641",
)
