"""Speed of decoding one text, side by side in one run: PyTorch as `smidgen generate` calls it, and onnxruntime.

    python benchmarks/onnx_decoding.py [--recipe gpt-s-5m] [--prompt 16] [--tokens 128] [--rounds 5]
    python benchmarks/onnx_decoding.py --model MODEL

A fresh model of the shape of a recipe, or a trained one, whose logits are compared on the README of this repository.
One thread, batch 1. The variants take turns (A B C A B C ...),
because these machines are shared and drift; the ratios are what counts. CPU time is what is measured. Tokens are
drawn beforehand, so that choosing them costs nothing. "int8" are weights quantised by onnxruntime, activations as
they come.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from rich.console import Console
from rich.table import Table

from smidgen.checkpoints.open_model import open_model
from smidgen.export.onnx.graph import decoding_graph
from smidgen.export.onnx.onnx_decoder import OnnxDecoder
from smidgen.export.parity import parity
from smidgen.generation.decoding import SlidingWindow
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.loading import load_recipe

TEXT = Path(__file__).parents[1] / "README.md"

# Reads the tokens up to each end in turn.
Reader = Callable[[np.ndarray, list[int]], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="gpt-s-5m")
    parser.add_argument("--model", type=Path, help="a run or a Hugging Face folder, instead of a fresh model")
    parser.add_argument("--prompt", type=int, default=16, help="tokens read before the first is written")
    parser.add_argument("--tokens", type=int, default=128, help="tokens written, a step for each")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    decoder, ids_NT = opened(arguments.model) if arguments.model else fresh(arguments.recipe)
    with tempfile.TemporaryDirectory() as folder:
        files = write(decoder, Path(folder))
        theirs = {f"onnxruntime, {name}": OnnxDecoder(path) for name, path in files.items()}
        report_damage(decoder, theirs, files, ids_NT)
    readers = {"PyTorch, eager": in_torch(decoder), **{name: in_onnx(one) for name, one in theirs.items()}}
    show(arguments, timed(readers, decoder.config.vocab_size, arguments))


def fresh(recipe: str) -> tuple[Decoder, torch.Tensor]:
    """A random model and random ids."""
    config = load_recipe(recipe).design
    decoder = Decoder(config).eval()
    initialise(decoder, seed=0)
    generator = torch.Generator().manual_seed(0)
    return decoder, torch.randint(config.vocab_size, (4, config.context_length), generator=generator)


def opened(path: Path) -> tuple[Decoder, torch.Tensor]:
    """A trained model and the text of the README, cut into contexts."""
    model = open_model(path)
    ids_S = torch.tensor(model.tokenizer.encode(TEXT.read_text(encoding="utf-8")))
    context_length = model.config.context_length
    return model.decoder, ids_S[: len(ids_S) // context_length * context_length].view(-1, context_length)


def write(decoder: Decoder, folder: Path) -> dict[str, Path]:
    started = time.process_time()
    graph = decoding_graph(decoder, {"context_length": str(decoder.config.context_length)})
    print(f"traced in {time.process_time() - started:.0f} s of CPU time, {len(graph.graph.node)} nodes")
    files = {"float32": folder / "model.onnx", "int8": folder / "int8.onnx"}
    files["float32"].write_bytes(graph.SerializeToString())
    # The products alone: the quantiser of onnxruntime 1.31 writes attention in a form that it cannot load.
    quantize_dynamic(files["float32"], files["int8"], weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
    return files


@torch.inference_mode()
def report_damage(
    decoder: Decoder, theirs: dict[str, OnnxDecoder], files: dict[str, Path], ids_NT: torch.Tensor
) -> None:
    weights = 4 * sum(parameter.numel() for parameter in decoder.parameters())
    ours_NTV = decoder(ids_NT)
    for (name, one), path in zip(theirs.items(), files.values(), strict=True):
        logits_NTV, _ = one.read(ids_NT.numpy())
        found = parity(list(ours_NTV), list(torch.from_numpy(logits_NTV)))
        print(
            f"{name}: {path.stat().st_size:,} bytes (float32 weights alone {weights:,}), logits up to "
            f"{ours_NTV.abs().max():.1f} differ by {found.max_abs_logit_diff:.1e}, KL {found.kl:.1e}, "
            f"top token {found.top1:.3f}"
        )


def in_torch(decoder: Decoder) -> Reader:
    @torch.inference_mode()
    def read(ids_1S: np.ndarray, ends: list[int]) -> None:
        window, start = SlidingWindow(decoder), 0
        for end in ends:
            window.read(torch.from_numpy(ids_1S[:, start:end]))
            start = end

    return read


def in_onnx(decoder: OnnxDecoder) -> Reader:
    def read(ids_1S: np.ndarray, ends: list[int]) -> None:
        past = None
        for end in ends:
            _, past = decoder.read(ids_1S[:, :end], past)

    return read


def timed(readers: dict[str, Reader], vocab_size: int, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Tokens written per second of CPU time, in each round; one round before them is not counted."""
    drawn = np.random.default_rng(0)
    rates: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(arguments.rounds + 1):
        ids_1S = drawn.integers(0, vocab_size, (1, arguments.prompt + arguments.tokens))
        for name, read in readers.items():
            rate = arguments.tokens / seconds(read, ids_1S, arguments)
            if number:
                rates[name].append(rate)
    return rates


def seconds(read: Reader, ids_1S: np.ndarray, arguments: argparse.Namespace) -> float:
    """Of the steps alone: with the prompt, less the prompt."""
    prompt = [arguments.prompt]
    started = time.process_time()
    read(ids_1S, prompt)
    between = time.process_time()
    read(ids_1S, [*prompt, *range(arguments.prompt + 1, arguments.prompt + arguments.tokens + 1)])
    return time.process_time() - between - (between - started)


def show(arguments: argparse.Namespace, rates: dict[str, list[float]]) -> None:
    table = Table(
        title=f"{arguments.model or arguments.recipe}, {arguments.tokens} tokens after {arguments.prompt}", box=None
    )
    table.add_column("")
    for heading in ("tokens per CPU second", "times PyTorch", "lowest", "highest"):
        table.add_column(heading, justify="right")
    for name, values in rates.items():
        ratios = list(ratios_to(values, rates["PyTorch, eager"]))
        table.add_row(
            name,
            f"{statistics.median(values):,.0f}",
            *(f"{value:.2f}" for value in (statistics.median(ratios), min(ratios), max(ratios))),
        )
    Console().print(table)


def ratios_to(values: list[float], reference: list[float]) -> Iterator[float]:
    return (value / other for value, other in zip(values, reference, strict=True))


if __name__ == "__main__":
    main()
