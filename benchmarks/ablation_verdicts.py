"""How often the verdicts of ablations are right, by simulation: false ones among variants without effect, and power.

    python benchmarks/ablation_verdicts.py [--repetitions 1000] [--seeds 2,3,5] [--variants 2,5]

An ablation has a base and so many variants, all but the last of which change nothing. The last gains two and a half
deviations of paired differences over the root of the seeds, so that it is about as hard to see with any number of
them. Seeds move all alike by as much as each is moved on its own; in some rows a variant or the base is noisier than
the rest. "false" is the share of ablations in which any variant without effect is called better or worse, which is
to be at most 5%; "found" the share in which the last is called better.

"own pairs" are the verdicts of `smidgen ablate` itself, through the code that it runs. The other columns are tests
that were considered in its place and are computed here: "pooled" takes the noise from the pairs of all variants
together, "larger" the larger of one's own and the pooled, both with the degrees of freedom of all pairs; "careful"
is "larger" with the degrees of freedom that Satterthwaite's formula (1946) leaves.
"""

import argparse
import math
from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table as RichTable
from scipy import stats

from smidgen.lab.ablation.budget import BASE
from smidgen.lab.ablation.outcome import FINISHED, Outcome
from smidgen.lab.ablation.table import Table
from smidgen.lab.ablation.verdicts import verdicts
from smidgen.lab.difference import LEVEL
from smidgen.lab.holm import holm
from smidgen.lab.metric import Metric

# Of the last variant, in deviations of the mean of paired differences.
EFFECT = 2.5
TESTS = ("own pairs", "pooled", "larger", "careful")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--seeds", default="2,3,5", help="numbers of seeds with commas between")
    parser.add_argument("--variants", default="2,5", help="numbers of variants with commas between")
    arguments = parser.parse_args()
    table = RichTable("variants", "seeds", "noise", *TESTS, title="false / found, % of ablations")
    for variants in map(int, arguments.variants.split(",")):
        for seeds in map(int, arguments.seeds.split(",")):
            for noise, deviations in noises(variants):
                values = simulated(arguments.repetitions, seeds, deviations)
                table.add_row(f"{variants}", f"{seeds}", noise, *(rates(values, test) for test in TESTS))
    Console().print(table)


def noises(variants: int) -> Iterator[tuple[str, list[float]]]:
    """Deviations of base and variants beside what the seeds move alike."""
    yield "alike", [1.0] * (1 + variants)
    yield "variant x2", [1.0, 2.0] + [1.0] * (variants - 1)
    yield "variant x4", [1.0, 4.0] + [1.0] * (variants - 1)
    yield "base x3", [3.0] + [1.0] * variants


def simulated(repetitions: int, seeds: int, deviations: list[float]) -> np.ndarray:
    """Values of the base and its variants, [repetitions, 1 + variants, seeds]; lower is better."""
    generator = np.random.default_rng(5)
    values = generator.normal(size=(repetitions, 1, seeds)) + generator.normal(
        size=(repetitions, len(deviations), seeds)
    ) * np.reshape(deviations, (1, -1, 1))
    values[:, -1] -= EFFECT * math.hypot(deviations[0], deviations[-1]) / math.sqrt(seeds)
    return values


def rates(values: np.ndarray, test: str) -> str:
    called = [own_pairs(one) if test == "own pairs" else other_test(one, test) for one in values]
    false = np.mean([any(one[:-1]) for one in called])
    return f"{100 * false:.1f} / {100 * np.mean([one[-1] < 0 for one in called]):.0f}"


def own_pairs(values: np.ndarray) -> list[int]:
    """-1, 0 or 1 for each variant that is called better, neither or worse."""
    names = [BASE, *(f"variant-{number}" for number in range(1, len(values)))]
    named = {
        (name, seed): float(value) for name, row in zip(names, values, strict=True) for seed, value in enumerate(row)
    }
    outcomes = [
        Outcome(variant=name, seed=seed, scale=1, state=FINISHED, record={}, tasks={}, skipped={})
        for name, seed in named
    ]
    table = Table(task="bits-per-byte", metric=Metric("bits_per_byte"), scale=1, items=1, values=named)
    words = {"better": -1, "worse": 1}
    return [words.get(one.verdict, 0) for one in verdicts(names[1:], [table], outcomes)]


def other_test(values: np.ndarray, test: str) -> list[int]:
    differences = values[1:] - values[0]
    own, freedom = differences.var(axis=1, ddof=1), differences.shape[1] - 1.0
    variance = np.full(len(own), own.mean()) if test == "pooled" else np.maximum(own, own.mean())
    freedom *= own.sum() ** 2 / (own**2).sum() if test == "careful" else len(own)
    means = differences.mean(axis=1)
    p = 2 * stats.t.sf(np.abs(means) / np.sqrt(variance / differences.shape[1]), freedom)
    return [
        int(np.sign(mean)) if adjusted < LEVEL else 0 for mean, adjusted in zip(means, holm(list(p)), strict=True)
    ]


if __name__ == "__main__":
    main()
