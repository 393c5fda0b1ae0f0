"""Our scores beside those of lm-evaluation-harness (HFLM, transformers, float32), item by item on whole task files.

    python benchmarks/lm_eval_parity.py MODEL EVAL_DATA [--tasks arc_easy,wikitext] [--limit 100]

Both sides get the same texts: the pairs and documents of our own tasks. MODEL is a run or a Hugging Face folder; the
harness reads an export of it. "choices equal" counts the items whose best ending is the same by acc, by acc_norm and
by acc_bytes. HFLM adds in float32, whose steps are 1.2e-4 at 2,000 nats: documents cannot agree more closely than
that for each window.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from rich.console import Console
from rich.table import Table

from smidgen.checkpoints.open_model import OpenModel, open_model
from smidgen.errors import BadInput
from smidgen.evaluation.lm_eval.model import SmidgenLM
from smidgen.evaluation.pair_encoding import PairNotes, encode_pairs
from smidgen.evaluation.tasks.catalogue import BENCHMARKS, open_task
from smidgen.evaluation.tasks.documents import EvalData
from smidgen.evaluation.tasks.item import Choice, Completion, Document, Item, Task
from smidgen.export.hugging_face import export_hugging_face


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Log-probabilities of every request, item after item."""

    values: list[float]
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("eval_data", type=Path)
    parser.add_argument("--tasks", help="names with commas between; all whose files are there if not given")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--batch-size", type=int, default=16, help="of the harness")
    parser.add_argument("--precision", default="exact", choices=("exact", "fast"))
    arguments = parser.parse_args()
    model = open_model(arguments.model)
    ours = SmidgenLM(model, precision=arguments.precision)
    with tempfile.TemporaryDirectory() as folder:
        harness = harness_model(model, Path(folder) / "export", arguments.batch_size, ours.max_length)
        table = Table("task", "items", "choices equal", "max |difference|", "s ours", "s lm-eval", box=None)
        names = arguments.tasks.split(",") if arguments.tasks else list(BENCHMARKS)
        for name in names:
            try:
                task = without_stops(open_task(name, EvalData(arguments.eval_data), limit=arguments.limit), ours)
            except BadInput as error:
                print(f"{name} left out: {error}")
                continue
            table.add_row(*compared(task, answers(ours, task), answers(harness, task)))
            print(f"{name} done", flush=True)
        Console(width=110).print(table)


def harness_model(model: OpenModel, folder: Path, batch_size: int, max_length: int) -> HFLM:
    export_hugging_face(model, folder, check=False)
    return HFLM(
        pretrained=str(folder),
        trust_remote_code=True,
        dtype="float32",
        device=str(next(model.decoder.parameters()).device),
        batch_size=batch_size,
        max_length=max_length,
    )


def without_stops(task: Task, lm: SmidgenLM) -> Task:
    """The items at which HFLM does not stop: it asserts that every continuation has tokens and fits the window."""
    kept = [item for item in task.items if isinstance(item, Document) or harness_can(item, lm)]
    if len(kept) < len(task.items):
        print(f"{task.name}: {len(task.items) - len(kept)} items left out, at which HFLM stops", flush=True)
    return replace(task, items=kept)


def harness_can(item: Item, lm: SmidgenLM) -> bool:
    pairs, notes = encode_pairs(lm.model.tokenizer, arguments_of(item))
    longest = max(len(pair.continuation) for pair in pairs)
    return notes == PairNotes() and longest <= lm.max_length


def requests(task: Task) -> list[Instance]:
    """What an item asks, in the words of the harness."""
    return [
        Instance("", {}, pair, number, metadata=(task.name, index, 1))
        for index, item in enumerate(task.items)
        for number, pair in enumerate(arguments_of(item))
    ]


def arguments_of(item: Item) -> list[tuple[str, ...]]:
    match item:
        case Choice():
            return [*item.pairs()]
        case Completion():
            return [(item.context, item.continuation)]
        case Document():
            return [(item.text,)]


def answers(lm: SmidgenLM | HFLM, task: Task) -> Answers:
    asked = requests(task)
    started = time.perf_counter()
    if isinstance(task.items[0], Document):
        values = lm.loglikelihood_rolling(asked, disable_tqdm=True)
    else:
        values = [value for value, _ in lm.loglikelihood(asked, disable_tqdm=True)]
    return Answers(values=values, seconds=time.perf_counter() - started)


def compared(task: Task, ours: Answers, theirs: Answers) -> list[str]:
    farthest = max(abs(a - b) for a, b in zip(ours.values, theirs.values, strict=True))
    chosen = [choices(task, side.values) for side in (ours, theirs)]
    equal = sum(a == b for a, b in zip(*chosen, strict=True))
    share = f"{equal} of {len(chosen[0])}" if chosen[0] else ""
    return [task.name, str(len(task.items)), share, f"{farthest:.1e}", f"{ours.seconds:.1f}", f"{theirs.seconds:.1f}"]


def choices(task: Task, values: list[float]) -> list[tuple[int, ...]]:
    """The best ending of each item that is a choice: by the sum, and divided by characters and by bytes."""
    remaining = iter(values)
    found = []
    for item in task.items:
        if isinstance(item, Choice):
            sums = [next(remaining) for _ in item.endings]
            lengths = (
                [1] * len(sums),
                [len(text) for text in item.texts],
                [len(text.encode()) for text in item.texts],
            )
            found.append(tuple(best([a / b for a, b in zip(sums, divisors, strict=True)]) for divisors in lengths))
    return found


def best(scores: list[float]) -> int:
    """As the harness has it: the first of equal ones."""
    return scores.index(max(scores))


if __name__ == "__main__":
    main()
