"""HellaSwag: how does a described situation go on?"""

import re

from smidgen.evaluation.tasks.benchmark import NORMALISED, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row

# WikiHow's marks of headings and steps, such as [header] and [step].
MARK = re.compile(r"\[.*?\]")


def to_item(row: Row, number: int) -> Choice:
    context = f"{row.text('activity_label')}: {row.text('ctx_a')} {row.text('ctx_b').capitalize()}"
    endings = [_cleaned(ending) for ending in row.texts("endings")]
    return question(number, _cleaned(context), endings, row.number("label"))


def _cleaned(written: str) -> str:
    """Stripped before the marks go, so that an ending which began with one keeps a leading space."""
    unmarked = MARK.sub("", written.strip().replace(" [title]", ". "))
    return unmarked.replace("  ", " ")


HELLASWAG = Benchmark(
    name="hellaswag",
    title="HellaSwag",
    dataset="Rowan/hellaswag",
    split="validation",
    files=("hellaswag/validation",),
    to_item=to_item,
    metrics=NORMALISED,
    licence="MIT",
    paper="https://arxiv.org/abs/1905.07830",
)
