"""WinoGrande: which of two names fills the blank?

Scored as Trinh and Le do (arXiv:1806.02847): the names stand in the context, and what follows the blank is compared.
"""

from smidgen.evaluation.tasks.benchmark import PLAIN, Benchmark
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row, place

BLANK = "_"


def to_item(row: Row, number: int) -> Choice:
    before, blank, after = row.text("sentence").partition(BLANK)
    if not blank or not after.strip():
        raise ValueError(f"the sentence has no blank {BLANK!r} with words after it")
    filled = tuple(before + row.text(name) for name in ("option1", "option2"))
    label = place(row.text("answer"), ["1", "2"])
    return Choice(key=str(number), contexts=filled, endings=(f" {after.strip()}",) * 2, texts=filled, labels=(label,))


WINOGRANDE = Benchmark(
    name="winogrande",
    title="WinoGrande",
    dataset="allenai/winogrande",
    configs=("winogrande_xl",),
    split="validation",
    files=("winogrande/validation",),
    to_item=to_item,
    metrics=PLAIN,
    licence="CC-BY",
    paper="https://arxiv.org/abs/1907.10641",
)
