"""The most memory that `smidgen train` holds on this processor, against what `smidgen design` says before.

    python benchmarks/training_memory.py [--only NAME] [--folder DIR]

Each row is a real run of a few steps in a process of its own, with held-out text, looks at layers and checkpoints:
its tokenizer and shards are made by another process before, so that the peak is that of training alone.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from smidgen.design.training_memory import training_memory
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.recipe import Recipe
from smidgen.reports import words
from smidgen.training.plan import plan_training

STEPS = 6
# Long enough for a run that is compiled, which is decided by its length; only the first steps are taken.
RUN_TOKENS = 1_500_000


@dataclass(frozen=True)
class Case:
    """A recipe and what is changed in it; ``pass_tokens`` are those of a step, which is one forward pass."""

    name: str
    recipe: str
    pass_tokens: int
    changes: tuple[str, ...] = ()

    def loaded(self) -> Recipe:
        return load_recipe(
            self.recipe,
            overrides=[
                "design.place_vocab_size=0",
                "design.role_vocab_size=0",
                'data.sources={documentation={generator="installed-docs"}}',
                "data.curriculum=[{at=0.0, weights={documentation=1.0}}]",
                "tokenizer.training_bytes=8_000_000",
                f"training.tokens={RUN_TOKENS}",
                f"training.batch_tokens={self.pass_tokens}",
                "training.statistics_steps=2",
                "training.held_out_steps=3",
                "training.checkpoint_steps=3",
                "training.log_steps=1",
                *self.changes,
            ],
        )


# Narrow and wide, shallow and deep, small and large vocabularies and passes.
CASES = (
    Case(
        "tiny",
        "gpt-s-5m",
        512,
        (
            "design.vocab_size=512",
            "design.hidden_size=32",
            "design.num_layers=1",
            "design.num_heads=1",
            "design.num_kv_heads=1",
            "design.intermediate_size=32",
        ),
    ),
    Case("quickstart", "quickstart", 4096),
    Case("gpt-s-5m", "gpt-s-5m", 8192),
    Case("gpt-s-5m, small pass", "gpt-s-5m", 2048),
    Case("gpt-s-5m, odd vocabulary", "gpt-s-5m", 2048, ("design.vocab_size=4100",)),
    Case("ant-5m", "ant-5m", 8192),
    Case("atomixs2-5m", "atomixs2-5m", 4096),
    Case(
        "ten million",
        "gpt-s-5m",
        4096,
        (
            "design.vocab_size=8192",
            "design.hidden_size=256",
            "design.num_layers=12",
            "design.num_heads=8",
            "design.intermediate_size=640",
        ),
    ),
)


def main() -> None:
    arguments = parsed()
    shown = Table("run", "parameters", "pass", "measured", "designed", "ratio", box=None)
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if not arguments.only or case.name in arguments.only.split(";"):
                shown.add_row(*row(case, Path(arguments.folder or folder)))
    Console().print(shown)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of rows, separated by semicolons")
    parser.add_argument("--folder", default="", help="keep the runs here")
    return parser.parse_args()


def row(case: Case, folder: Path) -> tuple[str, ...]:
    recipe = case.loaded()
    measured = measured_bytes(case, recipe, folder)
    plan = plan_training(recipe, device_type="cpu")
    designed = training_memory(recipe.design, recipe.training)
    assert designed["pass_tokens"] == plan.micro_batch * plan.context_length
    return (
        case.name,
        words.count(designed["weights_bytes"] / 4),
        f"{plan.micro_batch} x {plan.context_length}",
        words.size(measured),
        words.size(designed["peak_bytes"]),
        f"{designed['peak_bytes'] / measured:.2f}",
    )


def measured_bytes(case: Case, recipe: Recipe, folder: Path) -> int:
    run = folder / case.name.replace(" ", "-").replace(",", "")
    if not run.exists():
        python(
            "import smidgen, json, sys; from smidgen.recipes.loading import recipe_from_dict; "
            "from smidgen.user_cache import user_cache; "
            "smidgen.train(recipe_from_dict(json.loads(sys.argv[1]), origin='benchmark'), sys.argv[2], "
            "until='data', cache=user_cache())",
            json.dumps(recipe.as_dict()),
            str(run),
        )
    command = [sys.executable, "-m", "smidgen", "train", "--resume", str(run), "--json", "--device", "cpu"]
    command += ["--compile", "--max-tokens", str(STEPS * case.pass_tokens)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # it leaves with 75: not finished
    manifest = json.loads((run / "manifest.json").read_text())
    return manifest["stages"]["train"]["peak_memory_bytes"]


def python(code: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
