"""What `smidgen serve` bears and how fast it is, beside `smidgen generate`.

    python benchmarks/serving_load.py MODEL [--clients 16] [--each 1000] [--tokens 8]
    python benchmarks/serving_load.py MODEL --each 0                  # the speed alone

Load: the server runs in a process of its own. Sixty requests of every kind are asked one after the other; then all
clients ask them at once, each in an order of its own, and every answer must be the one given alone, log-probabilities
to the last bit. Memory is that of the server's process.

Speed: one text of 200 tokens at a time, by `complete` in this process (what `smidgen generate` calls), by the server
whole, and by the server as a stream, in turns (A B C A B C ...). "CPU ms" are those of the process that computes, for
each token: steady on a shared machine. The clock is what a client waits.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.serving.client import post
from tests.serving.load import answer, requests, resident_megabytes, together

from smidgen.checkpoints.open_model import OpenModel, open_model
from smidgen.generation.decoding import complete
from smidgen.generation.threads import single_thread

PROMPT, TEXT_TOKENS = "In the year", 200
STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a run folder or a Hugging Face folder")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--each", type=int, default=1000, help="requests of each client")
    parser.add_argument("--tokens", type=int, default=8, help="most new tokens of a request")
    parser.add_argument("--rounds", type=int, default=7, help="of the speed")
    options = parser.parse_args()
    with served(options.model) as (process, port):
        if options.each:
            load(process, port, options)
        if options.rounds:
            speed(process, port, open_model(options.model), options.rounds)


@contextmanager
def served(model: Path) -> Iterator[tuple[int, int]]:
    """The server's process and port."""
    command = [sys.executable, "-m", "smidgen", "serve", str(model), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.pid, int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])
        finally:
            process.terminate()


def load(process: int, port: int, options: argparse.Namespace) -> None:
    bodies = requests(60, longest=options.tokens)
    expected = [answer(port, body) for body in bodies]
    together(port, bodies, expected, clients=options.clients, each=20)
    before = resident_megabytes(process)
    started = time.perf_counter()
    outcome = together(port, bodies, expected, clients=options.clients, each=options.each)
    took = time.perf_counter() - started
    after = resident_megabytes(process)
    count, errors = len(outcome.seconds), len(outcome.errors)
    bound = f" (95%: at most {1 - 0.05 ** (1 / count):.2%})" if not errors else f": {outcome.errors[0]}"
    print(f"{count:,} requests of {options.clients} clients in {took:.0f} s: {count / took:.0f} a second")
    print(f"errors {errors}{bound}; answers that differ from those given alone {outcome.different}")
    print(f"memory {before:.0f} MB before, {after:.0f} MB after: {after - before:+.1f} MB")
    slow = statistics.quantiles(outcome.seconds, n=100)
    print(f"a client waited {slow[49]:.3f} s in the middle, {slow[98]:.3f} s at the 99th percentile", flush=True)


def speed(process: int, port: int, model: OpenModel, rounds: int) -> None:
    body = {"prompt": PROMPT, "max_tokens": TEXT_TOKENS, "seed": 1}
    ways: dict[str, tuple[Callable[[], int], Callable[[], float]]] = {
        "generate": (lambda: generated(model), time.process_time),
        "serve": (lambda: answered(port, body), lambda: cpu_seconds(process)),
        "serve, stream": (lambda: answered(port, {**body, **STREAM}), lambda: cpu_seconds(process)),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (write, cpu) in ways.items():
            before, started = cpu(), time.perf_counter()
            tokens = write()
            taken[name].append(((cpu() - before) / tokens, (time.perf_counter() - started) / tokens))
    table = Table("", "CPU ms a token", "tokens/s by the clock", "CPU against generate", box=None)
    for name, rows in taken.items():
        cpu_ms = statistics.median(row[0] for row in rows) * 1e3
        rate = 1 / statistics.median(row[1] for row in rows)
        ratios = [row[0] / own[0] for row, own in zip(rows, taken["generate"], strict=True)]
        table.add_row(
            name,
            f"{cpu_ms:.2f}",
            f"{rate:.0f}",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        )
    Console(width=120).print(table)


def generated(model: OpenModel) -> int:
    tokenizer, streamed = model.tokenizer, model.streaming_decoder()
    shown = []
    with single_thread():
        completion = complete(
            model.decoder,
            tokenizer.encode(PROMPT),
            replace(model.sampling, max_new_tokens=TEXT_TOKENS),
            stop_ids={tokenizer.end_of_text_id},
            seed=1,
            on_token=lambda token_id: shown.append(streamed.push(token_id)),
        )
    return len(completion.token_ids)


def answered(port: int, body: dict) -> int:
    reply = post(port, body)
    last = reply.events[-1] if body.get("stream") else reply.json
    return last["usage"]["completion_tokens"]


def cpu_seconds(process: int) -> float:
    """What a process has used so far, by Linux's count."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
