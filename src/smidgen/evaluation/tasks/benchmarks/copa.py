"""COPA: which is the cause or the effect of what is said?"""

from smidgen.evaluation.tasks.benchmark import PLAIN, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row, place

RELATIONS = {"cause": "because", "effect": "therefore"}


def to_item(row: Row, number: int) -> Choice:
    relation = list(RELATIONS.values())[place(row.text("question"), list(RELATIONS))]
    # The premise loses its full stop.
    context = f"{row.text('premise').strip()[:-1]} {relation}"
    choices = [_continued(row.text(name)) for name in ("choice1", "choice2")]
    return question(number, context, choices, row.number("label"))


def _continued(sentence: str) -> str:
    """In the middle of a sentence; its own space comes on top of the delimiter's, in the harness as here."""
    return f" {sentence[:1].lower()}{sentence[1:]}"


COPA = Benchmark(
    name="copa",
    title="COPA",
    dataset="aps/super_glue",
    configs=("copa",),
    split="validation",
    files=("copa/validation",),
    to_item=to_item,
    metrics=PLAIN,
    licence="BSD-2-Clause",
    paper="https://arxiv.org/abs/1905.00537",
)
