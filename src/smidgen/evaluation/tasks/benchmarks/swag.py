"""SWAG: what happens next in a film?"""

from smidgen.evaluation.tasks.benchmark import NORMALISED, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row


def to_item(row: Row, number: int) -> Choice:
    endings = [row.text(f"ending{index}") for index in range(4)]
    return question(number, row.text("startphrase"), endings, row.number("label"))


SWAG = Benchmark(
    name="swag",
    title="SWAG",
    dataset="allenai/swag",
    configs=("regular",),
    split="validation",
    files=("swag/validation",),
    to_item=to_item,
    metrics=NORMALISED,
    licence="MIT",
    paper="https://arxiv.org/abs/1808.05326",
)
