"""Our whole run: `smidgen train` from text to checkpoints, with everything that a run does besides its steps."""

import tempfile
from pathlib import Path

import smidgen
from smidgen.life.watcher import Watcher
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.recipe import Recipe
from smidgen.training.progress import Progress
from smidgen.user_cache import user_cache
from training.task import Task
from training.turn import Turn

# A short run, for which a CPU compiles: what comes ten times in every run weighs most here. A run of 20 million
# tokens pays a tenth of it.
RUN_TOKENS = 2_000_000

# 0 is the default of these intervals and means that many.
TEN_TIMES = ("held_out_steps", "statistics_steps", "checkpoint_steps")


def whole_recipe(task: Task) -> Recipe:
    """The task's recipe on built-in text of two sources whose shares change, with documents kept apart."""
    return load_recipe(
        task.recipe,
        overrides=[
            "design.place_vocab_size=0",
            "design.role_vocab_size=0",
            'data.sources={documentation={generator="installed-docs"}, grammar={generator="grammar"}}',
            "data.curriculum=[{at=0.0, weights={documentation=0.8, grammar=0.2}}, "
            "{at=1.0, weights={documentation=0.6, grammar=0.4}}]",
            # Enough for a table of ids; how well it compresses is not what is measured.
            "tokenizer.training_bytes=4_000_000",
            f"training.tokens={RUN_TOKENS}",
            f"training.batch_tokens={task.step_tokens}",
            "training.batch_schedule=[]",
            *(f"training.{interval}=0" for interval in TEN_TIMES),
            "training.document_masks=true",
        ],
    )


def train(task: Task, turn: Turn) -> None:
    with tempfile.TemporaryDirectory() as folder:
        recipe, cache = whole_recipe(task), user_cache()
        smidgen.train(recipe, Path(folder) / "run", cache=cache, device="cpu", watcher=TurnTaking(turn))


class TurnTaking(Watcher):
    """Who is told of each step waits for the turn."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn

    def trained(self, progress: Progress) -> None:
        self.turn.over(progress.loss)
