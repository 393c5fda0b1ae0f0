"""Does quantisation scramble models of this size, the more so the longer they were trained?

    python benchmarks/quantisation_ladder.py --data documentation=TEXT [--eval-data DIR] [--tasks A,B] [--out DIR]

Trains benchmarks/ladder/dense.toml (or goes on with it), then writes a ladder of GGUF files of several of its
checkpoints, and says of each type what it costs at how many training tokens per parameter. Another ``--recipe`` must
keep checkpoints. Whatever is finished is not done again: repeat the command after a stop.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from smidgen import api
from smidgen.errors import SmidgenError
from smidgen.recipes.loading import load_recipe
from smidgen.records import atomic
from smidgen.records.run_folder import RunFolder
from smidgen.reports.ladder.rung_words import divergence, share, signed
from smidgen.stopping import StopRequest, stop_on_signals

RECIPE = Path(__file__).parent / "ladder" / "dense.toml"
# Halves of halves: what matters is how often the tokens double.
CHOSEN = 4


def main() -> None:
    arguments = _arguments()
    screen = Console()
    run = RunFolder(arguments.out / "run")
    try:
        with stop_on_signals() as stop_requested:
            _train(arguments, run, stop_requested)
            ladders = [_ladder(arguments, step, screen, stop_requested) for step in _chosen(run)]
    except SmidgenError as error:
        raise SystemExit(str(error)) from error
    atomic.write_json(arguments.out / "ladders.json", {"ladders": ladders})
    for title, value in (
        ("KL to F32, nats per token", lambda rung: divergence(rung["kl"]["value"])),
        ("perplexity against F32", lambda rung: signed(rung["perplexity_change"]["value"])),
        ("real words", lambda rung: share(rung["real_words"])),
        ("greedy texts that loop", lambda rung: share(rung["loops"]["greedy"])),
        ("in words", lambda rung: rung["verdict"]),
    ):
        screen.print(_table(title, ladders, value))
    screen.print(ladders[-1]["rule"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--data", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    parser.add_argument("--types", default="all")
    parser.add_argument("--tasks", default="minimal-pairs")
    parser.add_argument("--eval-data", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs/ladder"))
    return parser.parse_args()


def _train(arguments: argparse.Namespace, run: RunFolder, stop_requested: StopRequest) -> None:
    recipe = load_recipe(str(arguments.recipe), overrides=arguments.overrides, data=arguments.data)
    result = api.train(recipe, run.path, stop_requested=stop_requested)
    if not result["train"]["finished"]:
        raise SystemExit("training was stopped; repeat the command to go on")


def _chosen(run: RunFolder) -> list[Path]:
    """The last checkpoint, that of half its steps, and so on."""
    found = {int(path.name.partition("-")[2]): path for path in run.checkpoints.glob("step-*")}
    last = max(found)
    wanted = [last >> halving for halving in range(CHOSEN)]
    return [found[step] for step in sorted({min(found, key=lambda one: abs(one - step)) for step in wanted})]


def _ladder(
    arguments: argparse.Namespace, checkpoint: Path, screen: Console, stop_requested: StopRequest
) -> dict[str, Any]:
    out = arguments.out / checkpoint.name
    if not out.exists():
        with screen.status(checkpoint.name) as status:
            api.export(
                checkpoint,
                out,
                to="gguf",
                types=arguments.types.split(","),
                ladder=True,
                tasks=[task for task in arguments.tasks.split(",") if task],
                eval_data=arguments.eval_data,
                limit=arguments.limit,
                stop_requested=stop_requested,
                on_file=lambda name: status.update(f"{checkpoint.name}: {name}"),
            )
    return json.loads((out / "ladder.json").read_text(encoding="utf-8"))


def _table(title: str, ladders: list[dict[str, Any]], value: Any) -> Table:
    table = Table(title=title, box=None, title_justify="left", padding=(0, 2, 0, 0))
    table.add_column("tokens per parameter")
    for ladder in ladders:
        table.add_column(f"{ladder['training_tokens'] / ladder['parameters']:.1f}", justify="right")
    types = dict.fromkeys(rung["type"] for ladder in ladders for rung in ladder["rungs"])
    for name in types:
        found = [next((rung for rung in ladder["rungs"] if rung["type"] == name), None) for ladder in ladders]
        table.add_row(name, *(value(rung) if rung else "–" for rung in found))
    return table


if __name__ == "__main__":
    main()
