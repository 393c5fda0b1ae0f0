"""Named lists of tasks: those of the model cards and leaderboards, and a short one for use during training."""

from collections.abc import Collection, Sequence

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.catalogue import BENCHMARKS, canonical
from smidgen.recipes.keys import suggestion

# A number after a colon is a limit on items, as ``open_task`` counts them.
SUITES: dict[str, tuple[str, ...]] = {
    # 15,428 items, 3,500 of ArithMark and 67,000 pairs; the Intelligence Index needs the first five alone.
    "open-slm": ("hellaswag", "arc_easy", "arc_challenge", "piqa", "arithmark3", "arithmark2", "blimp"),
    # Glint's Tiny-ML leaderboard.
    "tiny-ml": ("blimp", "arc_easy", "wikitext"),
    # huggingface.co/GODELEV/Ant-5M
    "ant": (
        "boolq",
        "copa",
        "blimp",
        "winogrande",
        "truthfulqa_mc2",
        "piqa",
        "openbookqa",
        "arc_easy",
        "hellaswag",
        "swag",
        "arc_challenge",
        "mmlu",
        "race",
        "sciq",
        "commonsense_qa",
        "lambada_openai",
        "arithmark2",
        "wikitext",
    ),
    # huggingface.co/AxiomicLabs/GPT-S-5M
    "gpt-s": ("hellaswag", "arc_easy", "piqa", "arithmark2", "blimp"),
    # For use during training: 10 s on two cores for 5M parameters (measured 2026-11-21).
    "quick": ("blimp:20", "arc_easy:300", "piqa:300", "hellaswag:200", "arithmark2-generated:300"),
    # The same without data of others: generated pairs instead of BLiMP's, and no benchmark.
    "built-in": ("minimal-pairs:20", "arithmark2-generated:300"),
}


def expand(names: Sequence[str], *, others: Collection[str] = ()) -> list[tuple[str, int | None]]:
    """Tasks and their limits in order, suites written out, each task once with the largest limit asked for.

    ``others`` are known names beside the benchmarks, such as tasks of one's own. Raises ``BadInput`` for an unknown
    name, which names the nearest, and for a limit that is no whole number from 1.
    """
    limits: dict[str, int | None] = {}
    for name in names:
        for entry in SUITES.get(name, (name,)):
            task, limit = _entry(entry, others)
            earlier = limits.get(task, 0)
            limits[task] = None if limit is None or earlier is None else max(limit, earlier)
    return list(limits.items())


def _entry(entry: str, others: Collection[str]) -> tuple[str, int | None]:
    if entry in others:
        return entry, None
    name, colon, limit = entry.partition(":")
    if colon and not (limit.isdecimal() and int(limit)):
        raise BadInput(f"{entry!r} has the limit {limit!r}; give a whole number from 1, such as {name}:200")
    task = canonical(name)
    known = {*BENCHMARKS, *others, *(part.partition(":")[0] for suite in SUITES.values() for part in suite)}
    if task not in known:
        raise BadInput(f"there is no task or suite {name!r}; {suggestion(name, sorted({*SUITES, *known}))}")
    return task, int(limit) if colon else None
