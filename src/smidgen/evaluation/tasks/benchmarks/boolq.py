"""BoolQ: yes or no, after a passage.

The harness reads SuperGLUE's passages, which begin with a title and " -- "; those of BoolQ's own release do not.
"""

from smidgen.evaluation.tasks.benchmark import PLAIN, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row


def to_item(row: Row, number: int) -> Choice:
    context = f"{row.text('passage')}\nQuestion: {row.text('question')}?\nAnswer:"
    return question(number, context, ("no", "yes"), row.number("label"))


BOOLQ = Benchmark(
    name="boolq",
    title="BoolQ",
    dataset="aps/super_glue",
    configs=("boolq",),
    split="validation",
    files=("boolq/validation",),
    to_item=to_item,
    metrics=PLAIN,
    licence="CC-BY-SA-3.0",
    paper="https://arxiv.org/abs/1905.10044",
)
