"""OpenBookQA: elementary science, the question as the beginning of a sentence."""

from smidgen.evaluation.tasks.benchmark import NORMALISED, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row, place


def to_item(row: Row, number: int) -> Choice:
    choices = row.record("choices")
    # Some answer keys begin with a space.
    label = place(row.text("answerKey").lstrip(), choices.texts("label"))
    return question(number, row.text("question_stem"), choices.texts("text"), label)


OPENBOOKQA = Benchmark(
    name="openbookqa",
    title="OpenBookQA",
    dataset="allenai/openbookqa",
    configs=("main",),
    split="test",
    files=("openbookqa/test",),
    to_item=to_item,
    metrics=NORMALISED,
    licence="Apache-2.0",
    paper="https://arxiv.org/abs/1809.02789",
)
