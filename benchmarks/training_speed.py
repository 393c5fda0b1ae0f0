"""Speed of a training step on this processor, side by side in one run: others' loops, ours, ours without each part.

    python benchmarks/training_speed.py [--recipe gpt-s-5m] [--rounds 5] [--threads 1] [--only ours,stock]

The variants take turns (A B C A B C ...), because these machines are shared and drift; the ratios are what counts,
and those of processor time more than those of the clock where others are at work. Batch, precision (bf16 autocast where
native), clipping and the fused AdamW are the same. All begin with the same weights and see the same tokens, so that
losses agree; transformers' Llama has no XSA, which costs PyTorch's loop a few per cent and is why its loss differs.
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from smidgen.design.flops import flops_per_token
from smidgen.design.llama_config import to_llama_config
from smidgen.model.attention import Attention
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.feed_forward import FeedForward
from smidgen.model.initialisation import initialise
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.training import TrainingSettings
from smidgen.training.acceleration import accelerate
from smidgen.training.device import autocast, compute_dtype, deterministic, peak_flops_per_second
from smidgen.training.plan import plan_training

DEVICE = torch.device("cpu")
# Where the time of a step goes, by the names that the profiler gives; the first that fits counts.
PARTS = {
    "attention": ("smidgen::causal_attention", "aten::_scaled_dot_product", "aten::_flash_attention"),
    "feed-forward": ("smidgen::feed_forward",),
    "other products": ("aten::mm", "aten::addmm", "aten::bmm", "mkldnn"),
    "compiled passes": ("## Call CompiledFxGraph",),
    "update": ("aten::_fused_adamw", "aten::_foreach", "aten::mul_", "aten::linalg_vector_norm", "Optimizer"),
}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to train; ``step`` returns the loss before the update."""

    step: Callable[[], float]
    wall_seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def run(self) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.losses.append(self.step())
        self.wall_seconds.append(time.perf_counter() - wall)
        self.cpu_seconds.append(time.process_time() - cpu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="gpt-s-5m")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", default="", help="names of variants, by comma; the first is what others relate to")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = load_recipe(arguments.recipe)
    config = replace(recipe.design, place_vocab_size=0, role_vocab_size=0)
    dtype = compute_dtype(DEVICE, recipe.training.precision)
    rows = plan_training(recipe, device_type="cpu").micro_batch
    with deterministic(DEVICE):
        variants = {
            name: Variant(step=training_step(model, config, recipe.training, rows, dtype))
            for name, model in models(config, dtype).items()
            if not arguments.only or name in arguments.only.split(",")
        }
        # The first compiles, the second settles.
        for _ in range(2):
            for variant in variants.values():
                variant.losses.append(variant.step())
        for _ in range(arguments.rounds):
            for variant in variants.values():
                variant.run()
        tokens = rows * config.context_length
        show_speeds(variants, config, dtype, tokens, title=f"{recipe.name}, {rows} x {config.context_length} tokens")
        show_parts(variants)


def models(config: ModelConfig, dtype: torch.dtype) -> dict[str, nn.Module]:
    """What is compared, in the order of the table."""
    without_attention, without_feed_forward = accelerated(config, dtype), accelerated(config, dtype)
    put_back(without_attention, Attention, "read")
    put_back(without_feed_forward, FeedForward, "forward")
    return {
        "stock": fresh(config),
        "transformers": transformers_model(config),
        "ours": accelerated(config, dtype),
        "ours without attention": without_attention,
        "ours without feed-forward": without_feed_forward,
    }


def fresh(config: ModelConfig) -> Decoder:
    """Our decoder on PyTorch alone, as a compiled loop in the manner of nanoGPT would train it."""
    decoder = Decoder(config)
    initialise(decoder, 1)
    return decoder.train()


def accelerated(config: ModelConfig, dtype: torch.dtype) -> Decoder:
    decoder = fresh(config)
    for notice in accelerate(decoder, DEVICE, dtype):
        Console().print(notice)
    return decoder


def put_back(decoder: Decoder, kind: type[nn.Module], method: str) -> None:
    for module in decoder.modules():
        if isinstance(module, kind):
            vars(module).pop(method, None)


def transformers_model(config: ModelConfig) -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    plain = replace(config, xsa=False)
    model = LlamaForCausalLM(LlamaConfig(**to_llama_config(plain)))
    weights = {f"model.{name}": value for name, value in fresh(plain).state_dict().items()}
    model.load_state_dict(weights, strict=False)
    return model.train()


def training_step(
    model: nn.Module, config: ModelConfig, settings: TrainingSettings, rows: int, dtype: torch.dtype
) -> Callable[[], float]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.peak_learning_rate, fused=True)
    generator = torch.Generator().manual_seed(1)
    ids_BU = torch.randint(0, config.vocab_size, (rows, config.context_length + 1), generator=generator)

    @torch.compile(dynamic=False)
    def loss_of(ids_BU: Tensor) -> Tensor:
        with autocast(DEVICE, dtype):
            answer = model(ids_BU[:, :-1])
            logits_BTV = answer if isinstance(answer, Tensor) else answer.logits
            return F.cross_entropy(logits_BTV.flatten(0, 1).float(), ids_BU[:, 1:].flatten())

    def step() -> float:
        loss = loss_of(ids_BU)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return float(loss.detach())

    return step


def show_speeds(
    variants: dict[str, Variant], config: ModelConfig, dtype: torch.dtype, tokens: int, *, title: str
) -> None:
    first = next(iter(variants.values()))
    operations = flops_per_token(config)["training"] * tokens
    peak = peak_flops_per_second(DEVICE, dtype)
    table = Table(title=f"{title}, {torch.get_num_threads()} threads", box=None)
    for column in ("step", "tokens/s", "x (clock)", "x (processor)", "of the peak", "loss after the rounds"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for name, variant in variants.items():
        seconds = statistics.median(variant.wall_seconds)
        table.add_row(
            name,
            f"{tokens / seconds:,.0f}",
            f"{ratio(first.wall_seconds, variant.wall_seconds):.2f}",
            f"{ratio(first.cpu_seconds, variant.cpu_seconds):.2f}",
            f"{operations / seconds / peak:.0%}",
            f"{variant.losses[-1]:.4f}",
        )
    Console(width=118).print(table, f"Peak: {peak / 1e9:,.0f} GFLOP/s in a square product of {dtype}.")


def ratio(first: list[float], other: list[float]) -> float:
    """The median over rounds, so that a slow round counts for both."""
    return statistics.median(one / two for one, two in zip(first, other, strict=True))


def show_parts(variants: dict[str, Variant]) -> None:
    table = Table(title="Milliseconds of a step by part, from one profiled step", box=None)
    table.add_column("step")
    for part in (*PARTS, "rest"):
        table.add_column(part, justify="right")
    for name, variant in variants.items():
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            variant.step()
        milliseconds: Counter[str] = Counter()
        for event in profiler.key_averages():
            milliseconds[part_of(event.key)] += event.self_cpu_time_total / 1e3
        table.add_row(name, *(f"{milliseconds[part]:,.0f}" for part in (*PARTS, "rest")))
    Console(width=118).print(table)


def part_of(event: str) -> str:
    return next((part for part, names in PARTS.items() if event.startswith(names)), "rest")


if __name__ == "__main__":
    main()
