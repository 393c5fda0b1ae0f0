"""Speed of a training step on this processor, side by side in one run: others' loops, ours, ours without each part.

    python benchmarks/training_speed.py [--recipe gpt-s-5m] [--rounds 3] [--sequences 8] [--threads 1]
        [--only stock,ours]

The variants take turns (A B C A B C ...), because these machines are shared and drift; the ratios are what counts,
and those of processor time more than those of the clock where others are at work. Batch, precision (bf16 autocast
where native), clipping and the fused AdamW are the same. All begin with the same weights and see the same tokens, so
that losses agree; transformers' Llama has no XSA, which is why its loss differs. Freed memory is kept in all of them:
what that brings (5 to 9%) is not in the ratios. Documents apart is another task, and so its loss is another one.
"""

import argparse
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

# As the command line has it (cli/app.py), and for the same reason; OpenMP reads it when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# The profiler reports on itself otherwise.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

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
from smidgen.training.acceleration import OWN_CROSS_ENTROPY, accelerate
from smidgen.training.device import autocast, compute_dtype, deterministic, peak_flops_per_second
from smidgen.training.step import Step

DEVICE = torch.device("cpu")
# Documents of one sequence, and what ends them (assumed: short web pages are a few hundred tokens long).
DOCUMENT_TOKENS, END_OF_TEXT_ID = 300, 0
# Where the time of a step goes, by the names that the profiler gives; the first that fits counts.
PARTS = {
    "attention": ("smidgen::causal_attention", "aten::_scaled_dot_product", "aten::_flash_attention"),
    "feed-forward": ("smidgen::feed_forward",),
    "head and loss": ("smidgen::head_loss",),
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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sequences", type=int, default=8, help="of one step, which is one forward pass")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", default="", help="names of variants, by comma; the first is what others relate to")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = load_recipe(arguments.recipe)
    config = replace(recipe.design, place_vocab_size=0, role_vocab_size=0)
    dtype = compute_dtype(DEVICE, recipe.training.precision)
    rows = arguments.sequences
    ids_BU = drawn_ids(config, rows)
    with deterministic(DEVICE):
        variants = {
            name: Variant(step=made(ids_BU))
            for name, made in loops(config, recipe.training, dtype).items()
            if not arguments.only or name in arguments.only.split(",")
        }
        for name, variant in variants.items():
            # The first compiles, the second settles.
            variant.losses.extend((variant.step(), variant.step()))
            print(f"{name}: ready, {time.strftime('%H:%M:%S')}", flush=True)
        for number in range(1, arguments.rounds + 1):
            for variant in variants.values():
                variant.run()
            print(f"round {number} of {arguments.rounds}, {time.strftime('%H:%M:%S')}", flush=True)
        tokens = rows * config.context_length
        show_speeds(variants, config, dtype, tokens, title=f"{recipe.name}, {rows} x {config.context_length} tokens")
        show_parts(variants)


def loops(
    config: ModelConfig, settings: TrainingSettings, dtype: torch.dtype
) -> dict[str, Callable[[Tensor], Callable[[], float]]]:
    """What is compared, in the order of the table: for each the loop over a batch, made when it is wanted."""

    def plain(model: Callable[[ModelConfig], nn.Module]) -> Callable[[Tensor], Callable[[], float]]:
        return lambda ids_BU: plain_loop(model(config), ids_BU, settings, dtype)

    def ours(**options) -> Callable[[Tensor], Callable[[], float]]:
        return lambda ids_BU: our_loop(accelerated(config, dtype), ids_BU, settings, dtype, **options)

    return {
        "stock": plain(fresh),
        "transformers": plain(transformers_model),
        "ours": ours(),
        "ours, documents apart": ours(end_of_text_id=END_OF_TEXT_ID),
        "ours without attention": ours(without=(Attention, "read")),
        "ours without feed-forward": ours(without=(FeedForward, "forward")),
        "ours without head": ours(without=(Decoder, OWN_CROSS_ENTROPY)),
    }


def drawn_ids(config: ModelConfig, rows: int) -> Tensor:
    """Random documents, all of one length in the mean."""
    generator = torch.Generator().manual_seed(1)
    shape = (rows, config.context_length + 1)
    ids_BU = torch.randint(1, config.vocab_size, shape, generator=generator)
    return ids_BU.masked_fill(torch.rand(shape, generator=generator) < 1 / DOCUMENT_TOKENS, END_OF_TEXT_ID)


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


def our_loop(
    decoder: Decoder,
    ids_BU: Tensor,
    settings: TrainingSettings,
    dtype: torch.dtype,
    *,
    end_of_text_id: int | None = None,
    without: tuple[type[nn.Module], str] | None = None,
) -> Callable[[], float]:
    """As in a run, with the optimiser of the others."""
    if without is not None:
        put_back(decoder, *without)
    computation = Step(
        decoder,
        settings,
        device=DEVICE,
        dtype=dtype,
        micro_batch=len(ids_BU),
        compile_mode="default",
        end_of_text_id=end_of_text_id,
    )
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=settings.peak_learning_rate, fused=True)

    def step() -> float:
        loss, _ = computation.gradients(ids_BU)
        optimizer.step()
        optimizer.zero_grad()
        return float(loss)

    return step


def plain_loop(
    model: nn.Module, ids_BU: Tensor, settings: TrainingSettings, dtype: torch.dtype
) -> Callable[[], float]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.peak_learning_rate, fused=True)

    @torch.compile(dynamic=False)
    def loss_of(ids_BU: Tensor) -> Tensor:
        with autocast(DEVICE, dtype):
            answer = model(ids_BU[:, :-1])
            logits_BTV = answer if isinstance(answer, Tensor) else answer.logits
            return F.cross_entropy(logits_BTV.flatten(0, 1).float(), ids_BU[:, 1:].flatten())

    def step() -> float:
        loss = loss_of(ids_BU)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
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
