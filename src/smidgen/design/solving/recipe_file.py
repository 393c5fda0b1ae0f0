"""A solution as a recipe that runs."""

import json
import re
from pathlib import Path

from smidgen.design.solving.columns import SIZES
from smidgen.design.solving.solver import Candidate, Solution
from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe
from smidgen.records import atomic

# Its text, batch and schedule: the only shipped recipe that runs without any file.
PARENT = "quickstart"


def write_recipe(solution: Solution, path: Path, *, command: str) -> None:
    """Write the best shape as a recipe that extends the quickstart.

    Raises ``BadInput`` for a file that exists or is not named ``.toml``.
    """
    if path.suffix != ".toml":
        raise BadInput(f"--write {path} must end in .toml, so that it is read as a recipe")
    if path.exists():
        raise BadInput(f"--write {path} exists already; give another name or remove it")
    atomic.write_text(path, recipe_text(solution, name=_name(path), command=command))


def recipe_text(solution: Solution, *, name: str, command: str) -> str:
    """TOML. Values are written by ``json``, whose strings and integers are TOML's, too."""
    best, constraints = solution.best, solution.constraints
    lines = [
        f"# {best.parameters:,} parameters, {best.cost:.2%} of the loss above an ideal shape by the laws that the",
        "# command prints. Text, batch and schedule are the quickstart's: give your own with --data text=PATH.",
        f"# Command  {command}",
        "",
        f'extends = "{PARENT}"',
        f"name = {json.dumps(name)}",
        f"description = {json.dumps(_description(best))}",
        'source = "smidgen solve"',
        f"parameter_budget = {solution.budget}",
        "",
        "[design]",
        *(f"{key} = {getattr(best.config, key)}" for key in SIZES),
        f"context_length = {constraints.context_length}",
        f"tie_embeddings = {json.dumps(constraints.tie_embeddings)}",
        f"xsa = {json.dumps(constraints.xsa)}",
    ]
    return "\n".join([*lines, *_training(constraints.context_length, constraints.training_tokens)]) + "\n"


def _training(context_length: int, tokens: int | None) -> list[str]:
    """A batch of whole contexts, and of the wanted tokens whole batches."""
    parent = load_recipe(PARENT).training
    batch = max(1, round(parent.batch_tokens / context_length)) * context_length
    lines = [f"batch_tokens = {batch}"] if batch != parent.batch_tokens else []
    if tokens is not None:
        lines.append(f"tokens = {max(batch, tokens)}")
        steps = max(1, tokens // batch)
        # As large a part of the run as the quickstart's.
        lines.append(f"warmup_steps = {round(steps * parent.warmup_steps / (parent.tokens / parent.batch_tokens))}")
    sequences = max(1, batch // context_length)
    if sequences < parent.micro_batch_size:
        lines.append(f"micro_batch_size = {sequences}")
    return ["", "[training]", *lines] if lines else []


def _description(best: Candidate) -> str:
    config = best.config
    return (
        f"{config.num_layers} layers of {config.hidden_size} under a vocabulary of {config.vocab_size:,}: "
        f"{best.parameters:,} parameters, found by the solver."
    )


def _name(path: Path) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", path.stem.lower()).strip("-") or "solved"
