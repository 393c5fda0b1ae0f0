"""Speed of several models trained as a stack, beside the same models one after the other, in one process.

    python benchmarks/stacked_training.py [--recipe gpt-s-5m] [--models 1,2,4,8,16] [--tokens 2048,16384]
        [--rounds 3] [--threads 2] [--device cpu] [--eager] [--processes]

The two take turns (A B A B ...), because these machines are shared and drift; the ratios are what counts, and those
of processor time more than those of the clock where others are at work. Weights, tokens, precision, clipping and
optimisers are those of a run. "Alone" is one model's step, times the number of models. With ``--processes`` two
processes of one thread each train one model each, at the same time, beside one process with two threads.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

# As the command line has it (cli/app.py), and for the same reason; OpenMP reads it when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.recipe import Recipe
from smidgen.training.acceleration import accelerate
from smidgen.training.autotune import Choice
from smidgen.training.device import compute_dtype, deterministic, wait_for
from smidgen.training.optimizer import build_optimizer
from smidgen.training.plan import plan_training
from smidgen.training.stack_choice import choose, sizes_of_passes
from smidgen.training.stack_step import StackedStep
from smidgen.training.step import Step

# Turns of one way before the other has its own: a step of a small model is too short to be timed by itself.
SECONDS_A_TURN = 2.0


@dataclass
class Way:
    """One way to train; ``step`` takes the next step of all its models."""

    step: Callable[[], object]
    device: torch.device
    repeats: int = 1
    wall_seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def warm_up(self) -> None:
        # The first compiles, the second settles.
        self.step()
        self.step()
        self.turn()
        self.repeats = max(1, round(SECONDS_A_TURN / self.wall_seconds.pop()))
        self.cpu_seconds.clear()

    def turn(self) -> None:
        wait_for(self.device)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(self.repeats):
            self.step()
        wait_for(self.device)
        self.wall_seconds.append((time.perf_counter() - wall) / self.repeats)
        self.cpu_seconds.append((time.process_time() - cpu) / self.repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="gpt-s-5m")
    parser.add_argument("--models", type=numbers, default=numbers("1,2,4,8,16"))
    parser.add_argument("--tokens", type=numbers, default=numbers("2048,16384"), help="of a model in a step")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--eager", action="store_true", help="do not compile")
    parser.add_argument("--processes", action="store_true", help="compare two processes of one thread as well")
    parser.add_argument("--seconds", type=float, default=0.0, help="only train one model alone for so long")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    with deterministic(device):
        for tokens in arguments.tokens:
            recipe = with_tokens(load_recipe(arguments.recipe), tokens)
            if arguments.seconds:
                print(tokens_per_second_alone(recipe, device, arguments))
            else:
                compare(recipe, device, arguments)


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def with_tokens(recipe: Recipe, tokens: int) -> Recipe:
    design = replace(recipe.design, place_vocab_size=0, role_vocab_size=0)
    return replace(recipe, design=design, training=replace(recipe.training, batch_tokens=tokens, batch_schedule=()))


def compare(recipe: Recipe, device: torch.device, arguments: argparse.Namespace) -> None:
    tokens = recipe.training.batch_tokens
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    table = Table(title=f"{recipe.name}, {tokens:,} tokens of a model in a step, {device}{threads}", box=None)
    for column in ("models", "alone, tokens/s", "stack, tokens/s", "x (clock)", "x (processor)", "passes"):
        table.add_column(column, justify="right")
    alone = way_alone(recipe, device, compiled=not arguments.eager)
    alone.warm_up()
    for models in arguments.models:
        stack, passes = way_together(recipe, device, models, compiled=not arguments.eager)
        stack.warm_up()
        alone.wall_seconds.clear()
        alone.cpu_seconds.clear()
        for _ in range(arguments.rounds):
            alone.turn()
            stack.turn()
        table.add_row(
            str(models),
            f"{tokens / statistics.median(alone.wall_seconds):,.0f}",
            f"{models * tokens / statistics.median(stack.wall_seconds):,.0f}",
            f"{models * ratio(alone.wall_seconds, stack.wall_seconds):.2f}",
            f"{models * ratio(alone.cpu_seconds, stack.cpu_seconds):.2f}",
            passes,
        )
        print(f"{models} models: measured, {time.strftime('%H:%M:%S')}", flush=True)
    Console(width=118).print(table)
    if arguments.processes:
        print(f"2 processes of 1 thread beside 1 of 2, by the clock: {gain_of_processes(tokens, arguments):.2f}")


def way_alone(recipe: Recipe, device: torch.device, *, compiled: bool) -> Way:
    (made,) = fresh_steps(recipe, device, 1)
    step = Step(
        made.decoder, recipe.training, device=device, dtype=made.dtype, **chosen(recipe, [made], compiled=compiled)
    )
    optimizer = build_optimizer(step.decoder, recipe.training)
    ids_SU = drawn_ids(recipe, 1)[:, 0]
    return Way(step=lambda: step.update(optimizer, *step.gradients(ids_SU)), device=device)


def way_together(recipe: Recipe, device: torch.device, models: int, *, compiled: bool) -> tuple[Way, str]:
    steps = fresh_steps(recipe, device, models)
    choice = chosen(recipe, steps, compiled=compiled)
    stack = StackedStep(steps, **choice)
    optimizers = [build_optimizer(step.decoder, recipe.training) for step in steps]
    ids_SMU = drawn_ids(recipe, models)

    def step() -> None:
        for part, optimizer, loss, norm in zip(steps, optimizers, *stack.gradients(ids_SMU), strict=True):
            part.update(optimizer, loss, norm)

    return Way(step=step, device=device), str(Choice(**choice))


def chosen(recipe: Recipe, steps: Sequence[Step], *, compiled: bool) -> dict[str, Any]:
    device = steps[0].device
    sizes = sizes_of_passes(plan_training(recipe, device_type=device.type), len(steps), device)
    return asdict(choose(steps, sizes, compiled=compiled))


def fresh_steps(recipe: Recipe, device: torch.device, models: int) -> list[Step]:
    dtype = compute_dtype(device, recipe.training.precision)
    steps = []
    for seed in range(models):
        decoder = Decoder(recipe.design).to(device)
        initialise(decoder, seed)
        for notice in accelerate(decoder, device, dtype):
            Console().print(notice)
        steps.append(Step(decoder, recipe.training, device=device, dtype=dtype, micro_batch=1, compile_mode=None))
    return steps


def drawn_ids(recipe: Recipe, models: int) -> Tensor:
    context = recipe.design.context_length
    shape = (recipe.training.batch_tokens // context, models, context + 1)
    return torch.randint(0, recipe.design.vocab_size, shape, generator=torch.Generator().manual_seed(1))


def ratio(first: Sequence[float], other: Sequence[float]) -> float:
    """The median over rounds, so that a slow round counts for both."""
    return statistics.median(one / two for one, two in zip(first, other, strict=True))


def tokens_per_second_alone(recipe: Recipe, device: torch.device, arguments: argparse.Namespace) -> float:
    way = way_alone(recipe, device, compiled=not arguments.eager)
    way.warm_up()
    deadline = time.monotonic() + arguments.seconds
    while time.monotonic() < deadline:
        way.turn()
    return recipe.training.batch_tokens / statistics.median(way.wall_seconds)


def gain_of_processes(tokens: int, arguments: argparse.Namespace) -> float:
    """Two processes of one thread, at the same time, over one of two threads; taken in turns."""
    gains = []
    for _ in range(arguments.rounds):
        one = sum(in_processes(1, 2, tokens, arguments))
        gains.append(sum(in_processes(2, 1, tokens, arguments)) / one)
    return statistics.median(gains)


def in_processes(count: int, threads: int, tokens: int, arguments: argparse.Namespace) -> list[float]:
    command = [sys.executable, __file__, "--recipe", arguments.recipe, "--tokens", str(tokens), "--seconds", "10"]
    command += ["--threads", str(threads), *(["--eager"] if arguments.eager else [])]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return [float(process.communicate()[0].split()[-1]) for process in started]


if __name__ == "__main__":
    main()
