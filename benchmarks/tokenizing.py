"""Speed of encoding, side by side in one run: ours, `tokenizers` and, where it is installed, `tiktoken`.

    python benchmarks/tokenizing.py [--megabytes 4] [--rounds 5] [--vocab-size 4096]
    python benchmarks/tokenizing.py --data TEXT.jsonl.zst --families plain,cased

All get the same texts, those of installed packages or files of one's own, and the same vocabulary, trained on the
first half of them. The variants take turns (A B C A B C ...), because these machines are shared and drift; the
ratios, round by round, are what counts. Ours begins each round with an empty cache, so its figures are those of a
short text.

"MB/s" is by the clock, "MB per CPU second" by what all threads used: the first is what one waits for, the second is
steady on a shared machine. Both are medians of the rounds; MB are those of the text before any rule. `tokenizers`
gets the text after the rules of its family, which Python applies; that is part of its time. `tiktoken` knows no rules
and runs for "plain" only; it merges by the order of ids, which may give other ids than the order of merges and takes
as long. Training and opening are not timed.
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from smidgen.data.installed_docs import installed_documents
from smidgen.data.sources import read_documents
from smidgen.native.location import default_cache
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.native.encoder import NativeEncoder
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.tokenization.training import train_tokenizer

ARITHMETIC = {"digits": "reversed", "isolate_operators": True, "isolate_whitespace": True}
FAMILIES = {
    "plain": TokenizerSettings(),
    "single digits": TokenizerSettings(digits="single"),
    "arithmetic": TokenizerSettings(**ARITHMETIC),
    "cased": TokenizerSettings(case_mapping=True),
    "both": TokenizerSettings(**ARITHMETIC, case_mapping=True),
}
ONE_BY_ONE = "tokenizers, one by one"
GPT2 = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""


class Taken(NamedTuple):
    clock_seconds: float
    cpu_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", default=[], help="a file or folder of texts; may be repeated")
    parser.add_argument("--text-key", default="text", help="key or column of the text")
    parser.add_argument("--families", default=",".join(FAMILIES), help="names with commas between")
    parser.add_argument("--megabytes", type=float, default=4.0, help="text to encode")
    parser.add_argument("--vocab-size", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    texts = list(up_to(arguments.megabytes * 1e6, documents(arguments.data, arguments.text_key)))
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts):,} texts, {megabytes:.1f} MB", flush=True)
    own_cpu_seconds = {}
    for family in arguments.families.split(","):
        sample = texts[: max(1, len(texts) // 2)]
        tokenizer = train_tokenizer(sample, FAMILIES[family], arguments.vocab_size)
        taken = timed(variants(tokenizer.definition, family), texts, arguments.rounds, family)
        show(family, taken, megabytes)
        own_cpu_seconds[family] = [each.cpu_seconds for each in taken["smidgen, 1 thread"]]
    show_families(own_cpu_seconds)


def documents(paths: Sequence[str], text_key: str) -> Iterator[str]:
    found = read_documents(paths, text_key=text_key, rejected=Counter()) if paths else installed_documents()
    return (document.text for document in found)


def up_to(wanted_bytes: float, texts: Iterator[str]) -> Iterator[str]:
    while wanted_bytes > 0:
        text = next(texts, None)
        if text is None:
            return
        wanted_bytes -= len(text.encode())
        yield text


def variants(definition: Definition, family: str) -> dict[str, Callable[[Sequence[str]], object]]:
    library = definition.encoder()
    apply = definition.rules.apply

    def encoded_by(**options) -> Callable[[Sequence[str]], object]:
        def encode(texts: Sequence[str]) -> object:
            return encoders.pop().encode([text.encode() for text in texts])

        encoders: list[NativeEncoder] = []
        encode.prepare = lambda: encoders.append(NativeEncoder(definition, cache=default_cache(), **options))
        return encode

    def listed(texts: Sequence[str]) -> object:
        return tokenizers.pop().encode_batch(texts)

    tokenizers: list[Tokenizer] = []
    listed.prepare = lambda: tokenizers.append(warmed_up(Tokenizer(definition)))
    made = {
        ONE_BY_ONE: lambda texts: [library.encode(apply(text), add_special_tokens=False).ids for text in texts],
        "tokenizers, encode_batch": lambda texts: [
            encoding.ids for encoding in library.encode_batch(list(map(apply, texts)), add_special_tokens=False)
        ],
        "smidgen, 1 thread": encoded_by(threads=1),
        "smidgen, all cores": encoded_by(),
        "smidgen, lists, all cores": listed,
    }
    return {**made, **(with_tiktoken(definition) if family == "plain" else {})}


def warmed_up(tokenizer: Tokenizer) -> Tokenizer:
    """With the compiled encoder opened, which happens at the first text of this length."""
    tokenizer.encode("x" * 200_000)
    return tokenizer


def with_tiktoken(definition: Definition) -> dict[str, Callable[[Sequence[str]], object]]:
    try:
        import tiktoken
    except ImportError:
        return {}
    tokenizer = Tokenizer(definition)
    ranks = {tokenizer.content(token_id)[0]: token_id - 1 for token_id in range(1, tokenizer.vocab_size)}
    encoding = tiktoken.Encoding("ours", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})
    return {
        "tiktoken, one by one": lambda texts: [encoding.encode_ordinary(text) for text in texts],
        "tiktoken, 2 threads": lambda texts: encoding.encode_ordinary_batch(texts, num_threads=2),
    }


def timed(
    encoders: dict[str, Callable[[Sequence[str]], object]], texts: Sequence[str], rounds: int, family: str
) -> dict[str, list[Taken]]:
    """What each round took; one round before them is not counted."""
    taken: dict[str, list[Taken]] = {name: [] for name in encoders}
    for number in range(rounds + 1):
        for name, encode in encoders.items():
            getattr(encode, "prepare", lambda: None)()
            clock, cpu = time.perf_counter(), time.process_time()
            encode(texts)
            if number:
                taken[name].append(Taken(time.perf_counter() - clock, time.process_time() - cpu))
        print(f"{family}: round {number} of {rounds}, {time.strftime('%H:%M:%S')}", flush=True)
    return taken


def show(family: str, taken: dict[str, list[Taken]], megabytes: float) -> None:
    table = Table(title=f"{family}, {megabytes:.1f} MB", box=None)
    columns = ("encoder", "MB/s", "times one by one (spread)", "MB per CPU second", "times one by one (spread)")
    for column in columns:
        table.add_column(column, justify="right" if column != "encoder" else "left")
    for name, rounds in taken.items():
        by_clock_and_cpu = zip(zip(*taken[ONE_BY_ONE], strict=True), zip(*rounds, strict=True), strict=True)
        shown = (text for theirs, own in by_clock_and_cpu for text in compared(theirs, own, megabytes))
        table.add_row(name, *shown)
    Console(width=118).print(table)


def compared(theirs: Sequence[float], own: Sequence[float], megabytes: float) -> tuple[str, str]:
    """The speed, and how many times theirs it is: the median of the rounds, the lowest and the highest."""
    ratios = [one / other for one, other in zip(theirs, own, strict=True)]
    spread = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    return f"{megabytes / statistics.median(own):,.1f}", spread


def show_families(cpu_seconds: dict[str, list[float]]) -> None:
    """How many times longer each family takes than the first."""
    first, *others = cpu_seconds
    for family in others:
        ratio = statistics.median(cpu_seconds[family]) / statistics.median(cpu_seconds[first])
        print(f"{family}: {ratio:.2f} times the CPU seconds of {first}")


if __name__ == "__main__":
    main()
