"""CommonsenseQA: five answers in the prompt, the letter scored."""

from smidgen.evaluation.tasks.benchmark import PLAIN, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.letters import lettered
from smidgen.evaluation.tasks.row import Row, place

LETTERS = "ABCDE"


def to_item(row: Row, number: int) -> Choice:
    asked = lettered(row.text("question"), row.record("choices").texts("text"), LETTERS)
    return question(number, f"Question: {asked}", tuple(LETTERS), place(row.text("answerKey"), LETTERS))


COMMONSENSE_QA = Benchmark(
    name="commonsense_qa",
    title="CommonsenseQA",
    dataset="tau/commonsense_qa",
    split="validation",
    files=("commonsense_qa/validation",),
    to_item=to_item,
    metrics=PLAIN,
    licence="MIT",
    paper="https://arxiv.org/abs/1811.00937",
)
