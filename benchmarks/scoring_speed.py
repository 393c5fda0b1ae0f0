"""Speed of scoring, side by side in one run: ours, exact and fast, and HFLM of lm-evaluation-harness in float32.

    python benchmarks/scoring_speed.py [--limit 400] [--rounds 3]
    python benchmarks/scoring_speed.py --model MODEL --eval-data DIR [--tasks arc_easy,blimp]

All get the same texts: items of the form of HellaSwag made from installed documentation and a random model of the
shape of GPT-S-5M, or a model and files of one's own, ``--limit`` items of each task. The variants take turns
(A B C A B C ...), because these machines are shared and drift; the ratios are what counts. HFLM runs with each batch
size, and all are held against the best of these in the same round. Tokenising is part of the time, opening model and
files is not.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from built_in_quiz import built_in_model, built_in_task
from lm_eval.models.huggingface import HFLM
from lm_eval_parity import answers, harness_model, without_stops
from rich.console import Console
from rich.table import Table

from smidgen.checkpoints.open_model import open_model
from smidgen.evaluation.lm_eval.model import SmidgenLM
from smidgen.evaluation.tasks.catalogue import open_task
from smidgen.evaluation.tasks.documents import EvalData
from smidgen.evaluation.tasks.item import Task

BATCH_SIZES = (8, 16, 64)
# Short and long contexts, many endings and few, and no context at all.
TASKS = "hellaswag,arc_easy,piqa,winogrande,blimp,wikitext"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a run or a Hugging Face folder")
    parser.add_argument("--eval-data", type=Path, help="a folder of benchmark files")
    parser.add_argument("--tasks", default=TASKS, help="names with commas between")
    parser.add_argument("--limit", type=int, default=400, help="documents of each task, or of each of its parts")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    model = open_model(arguments.model) if arguments.model else built_in_model()
    ours = {f"smidgen, {precision}": SmidgenLM(model, precision=precision) for precision in ("exact", "fast")}
    exact = ours["smidgen, exact"]
    with tempfile.TemporaryDirectory() as folder:
        theirs = {
            f"HFLM, batch {size}": harness_model(model, Path(folder) / str(size), size, exact.max_length)
            for size in BATCH_SIZES
        }
        for task in tasks(arguments):
            scored = without_stops(task, exact)
            show(scored, timed({**theirs, **ours}, scored, arguments.rounds), best_of=list(theirs))


def tasks(arguments: argparse.Namespace) -> Iterator[Task]:
    if arguments.eval_data is None:
        yield built_in_task(arguments.limit)
        return
    for name in arguments.tasks.split(","):
        yield open_task(name, EvalData(arguments.eval_data), limit=arguments.limit)


def timed(models: dict[str, SmidgenLM | HFLM], task: Task, rounds: int) -> dict[str, list[float]]:
    """Seconds of each round; one round before them is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for number in range(rounds + 1):
        for name, model in models.items():
            taken = answers(model, task).seconds
            if number:
                seconds[name].append(taken)
        print(f"{task.name}: round {number} of {rounds}, {time.strftime('%H:%M:%S')}", flush=True)
    return seconds


def show(task: Task, seconds: dict[str, list[float]], *, best_of: list[str]) -> None:
    best = [min(values) for values in zip(*(seconds[name] for name in best_of), strict=True)]
    table = Table(title=f"{task.name}, {len(task.items)} items", box=None)
    for column in ("scorer", "items/s (median)", "ratio to the best HFLM, round by round", "lowest", "highest"):
        table.add_column(column, justify="right" if column != "scorer" else "left")
    for name, values in seconds.items():
        ratios = [reference / value for reference, value in zip(best, values, strict=True)]
        speed = len(task.items) / statistics.median(values)
        shown = (f"{ratio:.2f}" for ratio in (statistics.median(ratios), min(ratios), max(ratios)))
        table.add_row(name, f"{speed:,.1f}", *shown)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
