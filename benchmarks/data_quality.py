"""Speed of the quality functions, and how many near duplicates are found, by how much of them was edited.

    python benchmarks/data_quality.py [--data TEXT.jsonl.zst ...] [--megabytes 8] [--rounds 5]
    python benchmarks/data_quality.py --data TEXT.jsonl.zst --eval-data DIR --tasks ant

Text is that of installed packages or of files of one's own; each file is measured alone, because what repeats a lot
takes longer. Figures are MB of text per second of CPU time on one core, the median of the rounds, in which the
functions take turns. Without --eval-data the index is that of generated equations, and of the texts themselves, one
in a hundred, so that something is found.
"""

import argparse
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from smidgen.data.installed_docs import installed_documents
from smidgen.data.quality.batches import batches
from smidgen.data.quality.contamination import ContaminationIndex, EvaluationText
from smidgen.data.quality.exact_duplicates import digests
from smidgen.data.quality.filters import reject_reasons
from smidgen.data.quality.near_duplicates import repeated_documents, signatures
from smidgen.data.sources import read_documents
from smidgen.evaluation.tasks.documents import EvalData
from smidgen.evaluation.tasks.evaluation_texts import evaluation_texts, tasks_with_texts
from smidgen.native.location import default_cache
from smidgen.recipes.quality import GOPHER, MILD

EDITED_SHARES = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3)
THRESHOLDS = (0.8, 0.6)
MOST_EDITED_TEXTS = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=[], help="files of text; by default that of installed packages")
    parser.add_argument("--megabytes", type=float, default=8, help="so much of each")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--eval-data", type=Path, help="a folder of benchmark files")
    parser.add_argument("--tasks", default="open-slm")
    options = parser.parse_args()

    screen = Console()
    sources = {path: _texts(path, options.megabytes) for path in options.data or [""]}
    index = _index(options.eval_data, options.tasks.split(","), next(iter(sources.values())))
    for path, texts in sources.items():
        screen.print(_speeds(path or "installed packages", texts, index, options.rounds))
    screen.print(_found_shares(next(iter(sources.values()))))


def _texts(path: str, megabytes: float) -> list[str]:
    documents = (
        read_documents([path], text_key="text", rejected=Counter())
        if path
        else installed_documents(cache=default_cache())
    )
    texts: list[str] = []
    left = megabytes * 1e6
    for document in documents:
        texts.append(document.text)
        left -= len(document.text.encode())
        if left <= 0:
            break
    return texts


def _index(eval_data: Path | None, tasks: list[str], texts: Sequence[str]) -> ContaminationIndex:
    if eval_data is not None:
        data = EvalData(eval_data)
        return ContaminationIndex.of(evaluation_texts(tasks_with_texts(tasks, data)[0], data))
    own = (EvaluationText("own", str(number), text) for number, text in enumerate(texts[::100]))
    return ContaminationIndex.of([*own, *evaluation_texts(["arithmark2-generated"], EvalData(None))])


def _speeds(name: str, texts: list[str], index: ContaminationIndex, rounds: int) -> Table:
    functions: dict[str, Callable[[list[str]], object]] = {
        "exact duplicates": digests,
        "filters: mild": lambda batch: reject_reasons(batch, MILD),
        "filters: gopher": lambda batch: reject_reasons(batch, GOPHER),
        "near duplicates": signatures,
        f"contamination ({len(index.names):,} items)": index.hits,
    }
    grouped = list(batches(texts, len))
    seconds: dict[str, list[float]] = {function: [] for function in functions}
    for _ in range(rounds):
        for label, function in functions.items():
            start = time.process_time()
            for batch in grouped:
                function(batch)
            seconds[label].append(time.process_time() - start)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    rejected = sum(reason is not None for reason in reject_reasons(texts, GOPHER))
    table = Table("function", "MB per CPU second", title=f"{name}: {len(texts):,} texts, {megabytes:.1f} MB")
    for label, measured in seconds.items():
        table.add_row(label, f"{megabytes / statistics.median(measured):.0f}")
    table.caption = f"gopher rejects {rejected:,}"
    return table


def _found_shares(texts: Sequence[str]) -> Table:
    """Copies of which some words were exchanged: true similarity, and the share that counts as near duplicate."""
    chance = random.Random(1)
    originals = [text for text in texts if 100 <= len(text.split()) <= 3_000][:MOST_EDITED_TEXTS]
    words = [word for text in originals[:50] for word in text.split()]
    before = signatures(originals)
    table = Table("words exchanged", "mean similarity", *(f"found at {threshold}" for threshold in THRESHOLDS))
    table.title = f"near duplicates of {len(originals):,} texts"
    for share in EDITED_SHARES:
        copies = [_edited(chance, text, share, words) for text in originals]
        similarity = statistics.fmean(map(_jaccard, originals, copies))
        after = signatures(copies)
        found = (repeated_documents([before, after], threshold)[len(originals) :] for threshold in THRESHOLDS)
        table.add_row(f"{share:.1%}", f"{similarity:.2f}", *(f"{np.mean(each >= 0):.1%}" for each in found))
    return table


def _edited(chance: random.Random, text: str, share: float, words: Sequence[str]) -> str:
    own = text.split()
    for place in chance.sample(range(len(own)), round(share * len(own))):
        own[place] = chance.choice(words)
    return " ".join(own)


def _jaccard(first: str, second: str) -> float:
    runs = []
    for text in (first, second):
        words = re.findall(r"[^\W_]+", text.lower())
        runs.append({tuple(words[start : start + 5]) for start in range(len(words) - 4)})
    return len(runs[0] & runs[1]) / max(1, len(runs[0] | runs[1]))


if __name__ == "__main__":
    main()
