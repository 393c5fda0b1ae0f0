"""Which dataset of the Hugging Face hub a task's items come from, as a model card's results name it."""

import re
from dataclasses import dataclass

from smidgen.evaluation.tasks.catalogue import BENCHMARKS

# What the hub accepts as ``dataset.type`` (https://github.com/embeddings-benchmark/mteb/issues/1111), one owner's
# name at most in front.
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]+")

# How the source of a user's own task begins (``smidgen.evaluation.tasks.user_task``).
OWN_TASK = "own task "


@dataclass(frozen=True, kw_only=True)
class HubDataset:
    """``config`` is empty where there is only one or where all are scored; ``card`` is an address."""

    id: str
    name: str
    config: str = ""
    split: str = ""
    card: str = ""


def hub_dataset(task: str, source: str) -> HubDataset:
    """A benchmark's dataset, config and split; other items get an id that no dataset of the hub can have.

    ``source`` is where a score record says that the items came from: a task file of one's own may bear a benchmark's
    name, and a local file may be of another split, which is then left out. Ids on the hub have an owner and a slash;
    a few dozen without are from before 2022, none of them of Smidgen.
    """
    if task not in BENCHMARKS or source.startswith(OWN_TASK):
        return HubDataset(id=f"smidgen-{_NOT_IN_IDS.sub('-', task).strip('-')}", name=f"{task} (not on the hub)")
    benchmark = BENCHMARKS[task]
    config = benchmark.configs[0] if len(benchmark.configs) == 1 else None
    return HubDataset(
        id=benchmark.dataset,
        name=benchmark.title,
        config=config or "",
        split="" if source.endswith(f"not {benchmark.split})") else benchmark.split,
        card=benchmark.card,
    )
