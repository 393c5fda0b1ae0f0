"""Speed of a training step, side by side in one run: ours and transformers' model, eager and compiled.

    python benchmarks/training_speed.py [--recipe gpt-s-5m] [--rounds 5]

The variants take turns (A B C A B C ...), because these machines are shared and drift; the ratios are what counts.
XSA is switched off so that both compute the same function; batch, precision (bf16 autocast where native) and the
fused AdamW are the same.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from transformers import LlamaConfig, LlamaForCausalLM

from smidgen.design.llama_config import to_llama_config
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.loading import load_recipe
from smidgen.training.device import autocast, compute_dtype
from smidgen.training.optimizer import build_optimizer
from smidgen.training.plan import plan_training

DEVICE = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="gpt-s-5m")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    recipe = load_recipe(arguments.recipe)
    config = replace(recipe.design, xsa=False, place_vocab_size=0, role_vocab_size=0)
    rows = plan_training(recipe, device_type="cpu").micro_batch
    steps = {
        f"{name}, {'compiled' if compiled else 'eager'}": training_step(model(config), recipe, config, rows, compiled)
        for name, model in (("transformers", stock), ("smidgen", ours))
        for compiled in (False, True)
    }
    seconds = timed(steps, arguments.rounds)
    show(
        seconds,
        tokens=rows * config.context_length,
        title=f"{recipe.name} without XSA, {rows} x {config.context_length}",
    )


def ours(config: ModelConfig) -> torch.nn.Module:
    decoder = Decoder(config)
    initialise(decoder, 1)
    return decoder


def stock(config: ModelConfig) -> torch.nn.Module:
    model = LlamaForCausalLM(LlamaConfig(**to_llama_config(config)))
    weights = {f"model.{name}": value for name, value in ours(config).state_dict().items()}
    model.load_state_dict(weights, strict=False)
    return model


def training_step(model, recipe, config: ModelConfig, rows: int, compiled: bool) -> Callable[[], None]:
    optimizer = build_optimizer(model, recipe.training)
    dtype = compute_dtype(DEVICE, recipe.training.precision)
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, config.vocab_size, (rows, config.context_length + 1), generator=generator)

    def loss_of(ids):
        with autocast(DEVICE, dtype):
            answer = model(ids[:, :-1])
            logits = answer if isinstance(answer, torch.Tensor) else answer.logits
            return F.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())

    loss_function = torch.compile(loss_of, dynamic=False) if compiled else loss_of

    def step() -> None:
        loss_function(ids).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def timed(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    for step in steps.values():
        step()
        step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def show(seconds: dict[str, list[float]], *, tokens: int, title: str) -> None:
    first = next(iter(seconds.values()))
    table = Table(title=title, box=None)
    for column in ("step", "tokens/s (median)", "lowest", "highest", "ratio to the first, round by round"):
        table.add_column(column, justify="right" if column != "step" else "left")
    for name, values in seconds.items():
        speeds = [tokens / value for value in values]
        ratio = statistics.median(one / other for one, other in zip(first, values, strict=True))
        table.add_row(
            name, f"{statistics.median(speeds):,.0f}", f"{min(speeds):,.0f}", f"{max(speeds):,.0f}", f"{ratio:.2f}"
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
