"""Building data: rate and memory for different numbers of processes, and the shares of the shipped recipes.

    python benchmarks/data_building.py speed --text TEXT.jsonl.zst [--megabytes 60] [--workers 1,2]
    python benchmarks/data_building.py recipes --text TEXT.jsonl.zst [--tokens 2e6] [--recipes atom-3.4m,gpt-s-5m]

"speed" builds one source of text into shards, each time in a process of its own. MB are those of the text kept, the
time is that of ``build`` alone, start of the other processes included. Memory is the largest resident set of the
building process and of the largest other one, mapped files included.

"recipes" builds every shipped recipe on stand-ins: the given text is dealt to its hub datasets and files, document
by document, so that no two sources hold the same. Shares are those of the samples of the whole run; "worst 1%" is the
largest distance between plan and samples of a source over any hundredth of a run of the recipe's own length (2
million samples at most), in points. Memory is the largest so far, without that of other processes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from smidgen.data.build import build
from smidgen.data.order import SampleOrder, planned_samples
from smidgen.data.pipeline.execution import Execution
from smidgen.data.sources import read_documents
from smidgen.data.training_data import open_data
from smidgen.recipes.loading import load_recipe, shipped_names
from smidgen.recipes.mixture import DataSettings, Source
from smidgen.recipes.recipe import Recipe
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.tokenization.training import train_tokenizer

TOKENIZER_BYTES = 4_000_000
LONGEST_RUN_SAMPLES = 2_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "recipes", "one"])
    parser.add_argument("--text", action="append", required=True, help="a file or folder of texts; may be repeated")
    parser.add_argument("--megabytes", type=float, default=60.0, help="text of the stand-ins")
    parser.add_argument("--vocab-size", type=int, default=4096)
    parser.add_argument("--workers", default=f"1,{len(os.sched_getaffinity(0))}", help="numbers of processes")
    parser.add_argument("--executor", default="pool")
    parser.add_argument("--filters", default="mild")
    parser.add_argument("--tokens", type=float, default=2e6, help="training tokens of each recipe")
    parser.add_argument("--recipes", default="", help="names with commas between; all shipped ones if not given")
    options = parser.parse_args()
    if options.what == "one":
        print(json.dumps(_one(options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        (_speed if options.what == "speed" else _recipes)(options, Path(folder))


# Speed


def _speed(options: argparse.Namespace, folder: Path) -> None:
    text = folder / "text.jsonl"
    texts = _texts(options)
    text.write_text("".join(json.dumps({"text": each}) + "\n" for each in texts))
    _tokenizer(texts, options.vocab_size).save(folder / "tokenizer")
    table = Table("processes", "MB of text", "tokens", "seconds", "MB/s", "memory, building", "memory, largest other")
    for workers in options.workers.split(","):
        words = [sys.executable, __file__, "one", "--text", str(folder), "--workers", workers]
        words += ["--executor", options.executor, "--filters", options.filters]
        done = json.loads(subprocess.run(words, capture_output=True, check=True, text=True).stdout)
        table.add_row(
            workers,
            f"{done['megabytes']:.1f}",
            f"{done['tokens']:,}",
            f"{done['seconds']:.2f}",
            f"{done['megabytes'] / done['seconds']:.1f}",
            f"{done['memory'][0]} MB",
            f"{done['memory'][1]} MB",
        )
    Console(width=120).print(table)


def _one(options: argparse.Namespace) -> dict[str, Any]:
    folder = Path(options.text[0])
    settings = DataSettings(sources={"text": Source(files=(str(folder / "text.jsonl"),))})
    execution = Execution(executor=options.executor, workers=int(options.workers))
    tokenizer = Tokenizer.open(folder / "tokenizer")
    began = time.perf_counter()
    index = build(
        settings,
        tokenizer,
        out=folder / f"out-{options.workers}",
        context_length=512,
        training_tokens=10**9,
        seed=1,
        cache=None,
        execution=execution,
    )
    seconds = time.perf_counter() - began
    source = index["sources"]["text"]
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return {
        "megabytes": (source["train_text_bytes"] + source["held_out_text_bytes"]) / 1e6,
        "tokens": index["tokens"],
        "seconds": seconds,
        "memory": [_peak_megabytes(), others],
    }


def _peak_megabytes() -> int:
    """Of this program; ``getrusage`` would count what the one that started it had."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


# Recipes


def _recipes(options: argparse.Namespace, folder: Path) -> None:
    texts = _texts(options)
    tokenizer = _tokenizer(texts, options.vocab_size)
    built = []
    for name in options.recipes.split(",") if options.recipes else shipped_names():
        recipe = _on_stand_ins(name, texts, folder / name, options.tokens)
        began = time.perf_counter()
        index = build(
            recipe.data,
            tokenizer,
            out=folder / name / "data",
            context_length=recipe.design.context_length,
            training_tokens=recipe.training.tokens,
            seed=recipe.training.seed,
            cache=folder / "cache",
            execution=Execution(workers=int(options.workers.split(",")[-1])),
        )
        # The largest so far: the order of samples, below, takes more.
        memory = _peak_megabytes()
        built.append((name, recipe, index, time.perf_counter() - began, memory))
    table = Table("recipe", "source", "planned", "realised", "worst 1%", "epochs", "rejected", "s", "memory")
    for name, recipe, index, seconds, memory in built:
        for source, (planned, realised, worst) in _shares(name, recipe, folder / name / "data").items():
            table.add_row(
                name,
                source,
                f"{100 * planned:.2f}%",
                f"{100 * realised:.2f}%",
                f"{100 * worst:.3f}",
                f"{index['sources'][source]['epochs']:.2f}",
                str(sum(index["sources"][source]["rejected"].values())),
                f"{seconds:.0f}",
                f"{memory} MB",
            )
    Console(width=130).print(table)


def _on_stand_ins(name: str, texts: list[str], folder: Path, tokens: float) -> Recipe:
    """The recipe with files of its own for each source of text but the documentation of installed packages."""
    sources = load_recipe(name).data.sources
    replaced = {source: settings for source, settings in sources.items() if not settings.generator}
    folder.mkdir()
    data = []
    for number, (source, settings) in enumerate(replaced.items()):
        path = folder / f"{source}.jsonl"
        own = texts[number :: len(replaced)]
        path.write_text("".join(json.dumps({settings.text: text}) + "\n" for text in own))
        data.append(f"{source}={path}")
    return load_recipe(name, data=data, overrides=[f"training.tokens={int(tokens)}"])


def _shares(name: str, recipe: Recipe, data: Path) -> dict[str, tuple[float, float, float]]:
    """Planned and realised share of each source, and how far a hundredth of the published run strays at most."""
    counts = open_data(data, None).window_counts
    context, seed = recipe.design.context_length, recipe.training.order_seed
    total = recipe.training.tokens // context
    dealt = SampleOrder(recipe.data, total_samples=total, window_counts=counts, seed=seed).sample_counts()
    length = min(load_recipe(name).training.tokens // context, LONGEST_RUN_SAMPLES)
    sources = SampleOrder(recipe.data, total_samples=length, window_counts=counts, seed=seed).source_of(0, length)
    planned = planned_samples(recipe.data, np.arange(length + 1) / length, length)
    size = max(1, length // 100)
    found = {}
    for number, (source, share) in enumerate(recipe.data.mean_shares().items()):
        ahead = np.concatenate([[0], np.cumsum(sources == number)]) - planned[:, number]
        found[source] = share, dealt[source] / total, float(np.abs(ahead[size:] - ahead[:-size]).max() / size)
    return found


# Text


def _texts(options: argparse.Namespace) -> list[str]:
    texts, left = [], options.megabytes * 1e6
    for text in _round_robin(options.text):
        texts.append(text)
        left -= len(text.encode())
        if left <= 0:
            break
    return texts


def _round_robin(paths: list[str]) -> Iterator[str]:
    streams = [read_documents([path], text_key="text", rejected=Counter()) for path in paths]
    for stream in cycle(streams):
        document = next(stream, None)
        if document is None:
            return
        yield document.text


def _tokenizer(texts: list[str], vocab_size: int) -> Tokenizer:
    chosen, size = [], 0
    for text in texts:
        chosen.append(text)
        size += len(text)
        if size > TOKENIZER_BYTES:
            break
    return train_tokenizer(iter(chosen), TokenizerSettings(), vocab_size)


if __name__ == "__main__":
    main()
