"""Time and memory of training a tokenizer, family by family, with the fingerprint of what comes out.

    python benchmarks/tokenizer_training.py [--data FILE ...] [--megabytes 50] [--vocab-size 4096] [--threads 1 2 4]
    python benchmarks/tokenizer_training.py --endless

Each row is a process of its own, so that its peak of memory is that of this training alone; it holds the source's
reader as well. Without --data the text is the documentation of the installed packages. --threads repeats each family
with as many threads of the library and the texts in another order: the fingerprint must stay. --endless trains on
text in which no word comes twice, for which memory has to be bounded.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from smidgen.data.installed_docs import installed_documents
from smidgen.data.sources import read_documents
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.reports import words
from smidgen.tokenization.training import train_tokenizer
from smidgen.user_cache import user_cache

ARITHMETIC = {"digits": "reversed", "isolate_operators": True, "isolate_whitespace": True}
FAMILIES = {
    "plain": TokenizerSettings(),
    "case mapping": TokenizerSettings(case_mapping=True),
    "arithmetic": TokenizerSettings(**ARITHMETIC),
    "all": TokenizerSettings(**ARITHMETIC, case_mapping=True),
}
# Texts that are shuffled at a time, so that memory stays that of training.
SHUFFLED = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=[], help="files of text; several are read by turns")
    parser.add_argument("--megabytes", type=float, default=50)
    parser.add_argument("--vocab-size", type=int, default=4096)
    parser.add_argument("--threads", type=int, nargs="*", default=[2])
    parser.add_argument("--families", nargs="*", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--endless", action="store_true")
    parser.add_argument("--one", choices=FAMILIES, help=argparse.SUPPRESS)
    parser.add_argument("--shuffle", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(trained(options)))
    else:
        show(options)


def show(options: argparse.Namespace) -> None:
    table = Table(title=f"a vocabulary of {options.vocab_size:,}", box=None, pad_edge=False)
    for column in ("family", "threads", "text", "seconds", "of CPU", "peak memory", "fingerprint"):
        table.add_column(column, justify="left" if column in ("family", "fingerprint") else "right")
    for family in options.families:
        for number, threads in enumerate(options.threads):
            row = in_own_process(options, family, threads, shuffle=number)
            table.add_row(
                family,
                str(threads),
                words.size(row["text_bytes"]),
                f"{row['seconds']:.1f}",
                f"{row['cpu_seconds']:.1f}",
                words.size(row["peak_bytes"]),
                row["fingerprint"][:16],
            )
    Console(width=120).print(table)


def in_own_process(options: argparse.Namespace, family: str, threads: int, *, shuffle: int) -> dict:
    command = [sys.executable, __file__, *sys.argv[1:], "--one", family, "--shuffle", str(shuffle)]
    environment = {
        **os.environ,
        "RAYON_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false",
    }
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def trained(options: argparse.Namespace) -> dict:
    source = Source(options)
    wall, cpu = time.perf_counter(), time.process_time()
    tokenizer = train_tokenizer(source.texts(), FAMILIES[options.one], options.vocab_size)
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "text_bytes": source.text_bytes,
        "fingerprint": tokenizer.fingerprint,
    }


class Source:
    """The first documents up to so many bytes, the same ones in whatever order."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self.text_bytes = 0

    def texts(self) -> Iterator[str]:
        if not self._options.shuffle:
            yield from self._in_order()
            return
        draw = random.Random(self._options.shuffle)
        group: list[str] = []
        for text in self._in_order():
            group.append(text)
            if len(group) == SHUFFLED:
                draw.shuffle(group)
                yield from group
                group = []
        draw.shuffle(group)
        yield from group

    def _in_order(self) -> Iterator[str]:
        for text in endless() if self._options.endless else self._documents():
            yield text
            self.text_bytes += len(text.encode())
            if self.text_bytes >= self._options.megabytes * 1e6:
                return

    def _documents(self) -> Iterator[str]:
        if not self._options.data:
            yield from (document.text for document in installed_documents(cache=user_cache()))
            return
        readers = [read_documents([path], text_key="text", rejected=Counter()) for path in self._options.data]
        while readers:
            for reader in list(readers):
                document = next(reader, None)
                if document is None:
                    readers.remove(reader)
                else:
                    yield document.text


def endless() -> Iterator[str]:
    draw = random.Random(1)
    while True:
        yield " ".join("".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=10)) for _ in range(1000))


if __name__ == "__main__":
    main()
