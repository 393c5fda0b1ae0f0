"""Tasks by name as lm-evaluation-harness 0.4.13 defines them, in its own files and with its own code."""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lm_eval.api.group import Group
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks import TaskManager
from lm_eval.tasks._index import Entry, Kind
from lm_eval.tasks._yaml_loader import load_yaml

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.documents import OutOfReach

SCORED = ("multiple_choice", "loglikelihood", "loglikelihood_rolling")
SPLIT_KEYS = ("test_split", "validation_split", "training_split", "fewshot_split")
# The command line's --fewshot_random_seed: the same examples as there.
FEWSHOT_SEED = 1234


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a name stands for: tasks with their data loaded, and groups of them that have scores of their own."""

    tasks: dict[str, ConfigurableTask]
    groups: dict[str, Group]


def load_definition(manager: TaskManager, name: str, eval_data: Path | None = None) -> Definition:
    """The task, or all tasks of the group or tag, of this name.

    A task whose data lie in the folder ``eval_data`` as ``<task>/<split>.jsonl`` (or ``.jsonl.gz``), or as
    ``<group>/<rest of its name>.jsonl``, reads them there; others load theirs as lm-evaluation-harness does, which
    needs a network or its cache. Raises ``BadInput`` for an unknown name, a task that asks for free writing, and data
    that cannot be loaded (``OutOfReach``).
    """
    index = manager.task_index
    if name not in index:
        near = ", ".join(get_close_matches(name, manager.all_tasks, n=3)) or "nothing similar"
        raise BadInput(f"lm-evaluation-harness has no task {name}; it has {near}")
    _refuse_writing(name, (index[name].cfg or {}).get("output_type", "multiple_choice"))
    for task, data_files in _local_files(eval_data, index).items():
        index[task] = _pointed_at(index[task], data_files)
    # Task files run code of lm-evaluation-harness and of datasets, which raise errors of every kind.
    try:
        loaded = manager.load(name)
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise OutOfReach(
            f"the data of lm-evaluation-harness task {name} cannot be loaded ({reason}); without a network, put "
            f"{name}/test.jsonl in the lm-eval form into the folder of evaluation data"
        ) from error
    tasks = {task_name: _ready(task_name, task) for task_name, task in loaded["tasks"].items()}
    return Definition(tasks=tasks, groups=loaded["groups"])


def _ready(name: str, task: Any) -> ConfigurableTask:
    """The task with what ``lm_eval.simple_evaluate`` sets when the command line leaves it open."""
    if not isinstance(task, ConfigurableTask):
        raise BadInput(
            f"lm-evaluation-harness task {name} is a program of its own; `lm_eval --model smidgen` runs it"
        )
    _refuse_writing(name, task.OUTPUT_TYPE)
    if task.config.num_fewshot is None:
        task.set_config("num_fewshot", 0)
    task.set_fewshot_seed(FEWSHOT_SEED)
    return task


def _refuse_writing(name: str, output_type: str | None) -> None:
    if output_type not in SCORED:
        raise BadInput(
            f"lm-evaluation-harness task {name} is of the kind {output_type}; scored here are {', '.join(SCORED)}, "
            "and `lm_eval --model smidgen` runs the others"
        )


def _local_files(eval_data: Path | None, index: dict[str, Entry]) -> dict[str, dict[str, Path]]:
    """Files by task and split; the split is "" where one file holds all there is."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(eval_data.glob("*/*.jsonl*")) if eval_data else ():
        folder, stem = path.parent.name, path.name.split(".jsonl")[0]
        if folder in index and index[folder].kind is Kind.TASK:
            found.setdefault(folder, {})[stem] = path
        elif f"{folder}_{stem}" in index:
            found[f"{folder}_{stem}"] = {"": path}
    return found


def _pointed_at(entry: Entry, files: dict[str, Path]) -> Entry:
    """The same task with local files as its data; unchanged if they lack the split it scores, or its examples."""
    if entry.yaml_path is None:
        return entry
    config = load_yaml(entry.yaml_path, resolve_func=True)
    splits = {key: split for key in SPLIT_KEYS if (split := config.get(key))}
    data_files = {split: str(path) for split in splits.values() if (path := files.get(split) or files.get(""))}
    missing = {key: None for key, split in splits.items() if split not in data_files}
    scored = splits.get("test_split") or splits.get("validation_split")
    if scored not in data_files or (missing and config.get("num_fewshot")):
        return entry
    own = {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": data_files}}
    return replace(entry, yaml_path=None, cfg={**config, **missing, **own})
