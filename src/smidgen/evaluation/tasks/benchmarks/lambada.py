"""LAMBADA, OpenAI's version: the last word of a passage."""

from smidgen.evaluation.tasks.benchmark import PLAIN, Benchmark
from smidgen.evaluation.tasks.item import Completion
from smidgen.evaluation.tasks.row import Row


def to_item(row: Row, number: int) -> Completion:
    context, _, word = row.text("text").rpartition(" ")
    if not context or not word:
        raise ValueError("the text does not end in a space and a word")
    return Completion(key=str(number), context=context, continuation=f" {word}")


LAMBADA_OPENAI = Benchmark(
    name="lambada_openai",
    title="LAMBADA (OpenAI)",
    dataset="EleutherAI/lambada_openai",
    configs=("default",),
    split="test",
    files=("lambada_openai/test",),
    to_item=to_item,
    metrics=PLAIN,
    licence="CC-BY-4.0 (texts), MIT (OpenAI's version)",
    paper="https://arxiv.org/abs/1606.06031",
)
