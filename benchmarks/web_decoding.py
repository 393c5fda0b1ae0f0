"""Speed of the web export in headless Chromium: tokens for each second of CPU time of the page's process.

    python benchmarks/web_decoding.py [--recipe gpt-s-5m] [--tokens 128] [--rounds 5]

A fresh model of the shape of a recipe writes in a worker, as for a visitor: with WebAssembly's vector instructions
and without, greedy and with sampling. The four take turns (A B C D A B C D ...), because these machines are shared
and drift.
CPU time is what is measured, of all threads of the page's process: compiling and collecting garbage count too.
"""

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from smidgen.checkpoints.open_model import OpenModel
from smidgen.export.web.browser import Browser, find_browser, served
from smidgen.export.web.folder import export_web
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.sampling import SamplingSettings
from smidgen.tokenization.training import train_tokenizer

TEXTS = ["the cat sat on the mat and 12 + 7 = 19, which is what it was before\n"]
SETTINGS = {
    "greedy": {"temperature": 0},
    "sampled": {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "repetition_penalty": 1.1},
}
# Leaves an engine of each kind behind, warm; ids of sixteen tokens are the prompt.
PREPARE = """
(async () => {
  const { WorkerEngine } = await import(new URL("page/engine.js", location.href).href);
  const address = new URL("model/model.json", location.href).href;
  window.engines = { vectors: new WorkerEngine(address), plain: new WorkerEngine(address, { allowVectors: false }) };
  for (const engine of Object.values(engines)) await engine.load();
})()
"""
WRITE = """
(async ({ kind, settings, seed }) => {
  let count = 0;
  const ids = Array.from({ length: 16 }, (_, n) => 40 + n);
  await engines[kind].complete({ ids }, settings, seed, { begin() {}, token: () => count++ });
  return count;
})
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="gpt-s-5m")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    path = find_browser()
    if path is None:
        sys.exit("needs Chromium or Chrome")
    config = load_recipe(arguments.recipe).design
    with tempfile.TemporaryDirectory() as folder:
        export_web(fresh(config), Path(folder, "out"), check=False)
        with served(Path(folder, "out")) as address, Browser(path) as browser:
            browser.open(address)
            browser.evaluate(PREPARE)
            speeds = timed(browser, arguments.tokens, arguments.rounds)
    show(arguments, speeds)


def fresh(config: ModelConfig) -> OpenModel:
    """A random model; its tokenizer is a small one, which costs the page nothing."""
    decoder = Decoder(config)
    initialise(decoder, seed=0)
    tokenizer = train_tokenizer(TEXTS, load_recipe("quickstart").tokenizer, 260)
    return OpenModel("fresh", Path("fresh"), decoder.eval(), tokenizer, "0" * 64)


def timed(browser: Browser, tokens: int, rounds: int) -> dict[str, list[float]]:
    speeds: dict[str, list[float]] = {}
    for number in range(-1, rounds):
        for kind in ("vectors", "plain"):
            for name, chosen in SETTINGS.items():
                settings = asdict(SamplingSettings(**chosen, max_new_tokens=tokens))
                asked = json.dumps({"kind": kind, "settings": settings, "seed": number + 1})
                before = cpu_seconds(browser)
                count = browser.evaluate(f"{WRITE}({asked})")
                # The first round warms up.
                if number >= 0:
                    speeds.setdefault(f"{kind}, {name}", []).append(count / (cpu_seconds(browser) - before))
    return speeds


def cpu_seconds(browser: Browser) -> float:
    processes = browser.command("SystemInfo.getProcessInfo")["processInfo"]
    return sum(process["cpuTime"] for process in processes if process["type"] == "renderer")


def show(arguments: argparse.Namespace, speeds: dict[str, list[float]]) -> None:
    table = Table("variant", "tokens/s of CPU", "lowest", "highest", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, found in speeds.items():
        table.add_row(name, *(f"{value:.0f}" for value in (statistics.median(found), min(found), max(found))))
    console = Console()
    console.print(f"{arguments.recipe}, {arguments.tokens} tokens, {arguments.rounds} rounds")
    console.print(table)


if __name__ == "__main__":
    main()
