"""Every task that can be named, and how it is scored."""

from collections.abc import Callable, Iterable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.training_data import open_data
from smidgen.errors import BadInput
from smidgen.evaluation import bits_per_byte_task, minimal_pairs_task, spelling_task
from smidgen.evaluation.arithmetic_task import score_arithmark, score_written
from smidgen.evaluation.completion import score_completions
from smidgen.evaluation.conditions import Conditions
from smidgen.evaluation.lm_eval.task import score_lm_eval_task
from smidgen.evaluation.multiple_choice import score_choices
from smidgen.evaluation.perplexity import score_documents
from smidgen.evaluation.task import TaskOutcome
from smidgen.evaluation.tasks.arithmark import OFFICIAL_FILES, Version, find_arithmark, open_arithmark
from smidgen.evaluation.tasks.arithmark_generated import GENERATED, generated_arithmark
from smidgen.evaluation.tasks.arithmetic_written import WRITTEN, written_arithmetic
from smidgen.evaluation.tasks.catalogue import BENCHMARKS, canonical, duplicates, open_task, why_not
from smidgen.evaluation.tasks.item import Choice, Completion, Task
from smidgen.evaluation.tasks.user_task import open_user_task
from smidgen.records.run_folder import RunFolder

Scoring = Callable[[OpenModel, Conditions], TaskOutcome]

# What is scored when no task is named: all that needs no file.
DEFAULT_TASKS = ("bits-per-byte", "arithmark2-generated", "minimal-pairs")
OFFICIAL_NAMES: dict[str, Version] = {f"arithmark{version}": version for version in OFFICIAL_FILES}
# In front of a name: lm-evaluation-harness's own definition, also where there is one here.
LM_EVAL = "lm-eval:"


def score_task(model: OpenModel, task: Task, conditions: Conditions) -> TaskOutcome:
    """Score the items of a task, whatever their kind."""
    stop_requested, on_progress = conditions.stop_requested, conditions.on_progress
    if isinstance(task.items[0], Choice):
        outcome = score_choices(
            model, task, precision=conditions.precision, stop_requested=stop_requested, on_progress=on_progress
        )
    elif isinstance(task.items[0], Completion):
        outcome = score_completions(model, task, stop_requested=stop_requested, on_progress=on_progress)
    else:
        outcome = score_documents(model, task, stop_requested=stop_requested, on_progress=on_progress)
    return described(task, outcome)


def described(task: Task, outcome: TaskOutcome) -> TaskOutcome:
    """The outcome with where the items came from, and a warning where some of them are the same."""
    outcome.data[task.name] = {"source": task.source, "files": dict(task.files)}
    if count := duplicates(task):
        outcome.warnings.append(f"{task.name}: {count:,} items ask what an earlier one asked, word for word")
    return outcome


def find_task(name: str) -> Scoring:
    """How the task of this name is scored; what is not known here is left to lm-evaluation-harness."""
    if name in OWN_TASKS:
        return OWN_TASKS[name]
    if name in BENCHMARKS:
        return partial(_benchmark, name)
    if name.endswith(".toml"):
        return partial(_user_task, Path(name))
    if name.endswith(".jsonl"):
        return partial(_official_file, Path(name))
    return partial(_lm_eval, name.removeprefix(LM_EVAL))


def others(names: Iterable[str]) -> set[str]:
    """Which of ``names`` are tasks beside the benchmarks: our own, a user's file, one of lm-evaluation-harness."""
    is_installed = find_spec("lm_eval") is not None
    unknown = {name for name in names if canonical(name) not in BENCHMARKS}
    foreign = {name for name in unknown if name.startswith(LM_EVAL) or (is_installed and ":" not in name)}
    return {*OWN_TASKS, *(name for name in unknown if name.endswith((".toml", ".jsonl"))), *foreign}


def why_skipped(model: OpenModel, name: str, conditions: Conditions) -> str:
    """Why a task cannot be scored here, in words that follow its name; empty where nothing stands against it."""
    if name == bits_per_byte_task.TASK and not RunFolder(model.path).data.is_dir():
        return "needs the held-out documents of a run folder"
    if name in OFFICIAL_NAMES and conditions.data.folder is not None:
        try:
            find_arithmark(OFFICIAL_NAMES[name], conditions.data.folder)
        except BadInput as error:
            return str(error)
    return why_not(name, conditions.data) if name in BENCHMARKS else ""


def needs_hub(name: str, conditions: Conditions) -> bool:
    """Whether the items of a task come from the Hugging Face hub."""
    return conditions.data.folder is None and (name in BENCHMARKS or name in OFFICIAL_NAMES)


def _bits_per_byte(model: OpenModel, conditions: Conditions) -> TaskOutcome:
    data = open_data(RunFolder(model.path).data, model.tokenizer.fingerprint)
    return bits_per_byte_task.score_bits_per_byte(
        model, data, limit=conditions.limit, stop_requested=conditions.stop_requested
    )


def _minimal_pairs(model: OpenModel, conditions: Conditions) -> TaskOutcome:
    task = minimal_pairs_task.minimal_pairs_task(limit=conditions.limit, seed=conditions.seed)
    return score_task(model, task, conditions)


def _spelling(model: OpenModel, conditions: Conditions) -> TaskOutcome:
    return spelling_task.score_spelling(
        model, limit=conditions.limit, seed=conditions.seed, stop_requested=conditions.stop_requested
    )


def _generated(name: str, model: OpenModel, conditions: Conditions) -> TaskOutcome:
    return _arithmark(model, generated_arithmark(name, limit=conditions.limit, seed=conditions.seed), conditions)


def _written(name: str, model: OpenModel, conditions: Conditions) -> TaskOutcome:
    task = written_arithmetic(name, limit=conditions.limit, seed=conditions.seed)
    outcome = score_written(model, task, stop_requested=conditions.stop_requested, on_progress=conditions.on_progress)
    return described(task, outcome)


def _official(version: Version, model: OpenModel, conditions: Conditions) -> TaskOutcome:
    path = find_arithmark(version, conditions.data.folder)
    return _arithmark(model, open_arithmark(version, path, limit=conditions.limit), conditions)


def _official_file(path: Path, model: OpenModel, conditions: Conditions) -> TaskOutcome:
    for version, official in OFFICIAL_FILES.items():
        if path.name in official.names:
            return _arithmark(model, open_arithmark(version, path, limit=conditions.limit), conditions)
    known = ", ".join(name for official in OFFICIAL_FILES.values() for name in official.names)
    raise BadInput(
        f"{path} is no official ArithMark file ({known}); a file of one's own needs a few lines of TOML that say how "
        "to ask it, and is scored by the path of these (docs/own-task.md)"
    )


def _arithmark(model: OpenModel, task: Task, conditions: Conditions) -> TaskOutcome:
    outcome = score_arithmark(
        model,
        task,
        precision=conditions.precision,
        stop_requested=conditions.stop_requested,
        on_progress=conditions.on_progress,
    )
    return described(task, outcome)


def _benchmark(name: str, model: OpenModel, conditions: Conditions) -> TaskOutcome:
    return score_task(model, open_task(name, conditions.data, limit=conditions.limit), conditions)


def _user_task(path: Path, model: OpenModel, conditions: Conditions) -> TaskOutcome:
    task = open_user_task(path, limit=conditions.limit)
    return score_task(model, task, conditions)


def _lm_eval(name: str, model: OpenModel, conditions: Conditions) -> TaskOutcome:
    if find_spec("lm_eval") is None:
        raise BadInput(f'{name} is a task of lm-evaluation-harness, which is missing; pip install "smidgen[eval]"')
    return score_lm_eval_task(
        model,
        name,
        eval_data=conditions.data.folder,
        limit=conditions.limit,
        precision=conditions.precision,
        stop_requested=conditions.stop_requested,
    )


OWN_TASKS: dict[str, Scoring] = {
    bits_per_byte_task.TASK: _bits_per_byte,
    minimal_pairs_task.TASK: _minimal_pairs,
    spelling_task.TASK: _spelling,
    **{name: partial(_generated, name) for name in GENERATED},
    **{name: partial(_written, name) for name in WRITTEN},
    **{name: partial(_official, version) for name, version in OFFICIAL_NAMES.items()},
}
