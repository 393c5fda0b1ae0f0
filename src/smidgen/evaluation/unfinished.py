"""The finished tasks of an evaluation that was stopped, kept so that repeating it goes on after the last of them."""

import json
import shutil
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import BadInput
from smidgen.evaluation import bits_per_byte_task
from smidgen.evaluation.conditions import Conditions
from smidgen.evaluation.score import Score
from smidgen.evaluation.task import TaskOutcome
from smidgen.evaluation.tasks.user_task import open_user_task
from smidgen.records import atomic, manifest
from smidgen.records.environment import versions
from smidgen.records.fingerprint import sha256_of_file, sha256_of_json
from smidgen.records.run_folder import RunFolder

# Where benchmarks lie below a folder of evaluation data: as task/split.jsonl, or (ArithMark's files) in the folder.
DATA_FILES = ("*.jsonl*", "*/*.jsonl*", "*.parquet", "*/*.parquet")


@dataclass(frozen=True, kw_only=True)
class FinishedTask:
    """What scoring a task gave, and how long that took."""

    outcome: TaskOutcome
    seconds: float


class Unfinished:
    """The folder ``path``, with a file for each finished task; without a path nothing is kept.

    A file is named by the hash of all that decides what it holds, so that another model, limit or data finds nothing.
    ``on_notice`` gets sentences for the user.
    """

    def __init__(self, path: Path | None = None, on_notice: Callable[[str], None] = lambda message: None) -> None:
        self.path = path
        self._on_notice = on_notice
        self._files: dict[str, Path] = {}

    def begin(
        self, model: OpenModel, conditions: Conditions, limits: Mapping[str, int | None]
    ) -> dict[str, FinishedTask]:
        """Those of the tasks, given with their limits, that were scored before under the very same conditions."""
        if self.path is None:
            return {}
        common = _common(model, conditions)
        for name, limit in limits.items():
            # Data that cannot be read is found wanting, in better words, by whoever scores the task.
            with suppress(BadInput):
                own = {"task": name, "limit": limit, "data": _own_data(model, name, limit)}
                self._files[name] = self.path / f"{sha256_of_json({**common, **own})}.json.z"
        found = {name: self._read(name) for name in self._files}
        finished = {name: task for name, task in found.items() if task is not None}
        if finished:
            self._on_notice(f"{len(finished)} of {len(limits)} tasks were scored before; going on")
        return finished

    def keep(self, name: str, task: FinishedTask) -> None:
        """Store a finished task in one step. Raises ``OutOfResources`` on a full disk.

        Where nothing can be written a notice says so, and scoring goes on without.
        """
        if self.path is None or name not in self._files:
            return
        content = json.dumps(asdict(task), ensure_ascii=False, allow_nan=False).encode()
        try:
            # The checksum of the compressed form tells a damaged file.
            atomic.write_bytes(self._files[name], zlib.compress(content, level=1))
        except OSError as error:
            self._on_notice(f"finished tasks cannot be kept in {self.path} ({error.strerror}); a stop loses them")
            self.path = None

    def discard(self) -> None:
        """Remove what was kept, once the record of all tasks is stored."""
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)

    def _read(self, name: str) -> FinishedTask | None:
        file = self._files[name]
        try:
            return _finished_task(json.loads(zlib.decompress(file.read_bytes())))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, zlib.error, ValueError, KeyError, TypeError, AttributeError):
            self._on_notice(f"{file} is damaged: {name} is scored again")
            return None


def unfinished_path(out: Path) -> Path:
    """The hidden folder beside a score file in which its tasks are kept until it is written."""
    return out.with_name(f".{out.name}.unfinished")


def _common(model: OpenModel, conditions: Conditions) -> dict[str, Any]:
    """What decides the results of all tasks, as far as it can be known without a network."""
    folder = conditions.data.folder
    return {
        "weights": model.weights_sha256,
        "tokenizer": model.tokenizer.fingerprint,
        # The same weights mean something else under other settings, and under other code where they bring it along.
        "config": repr(model.config),
        "model_files": _hashes(model.path, "config*.json", "*.py"),
        "sampling": repr(model.sampling),
        "max_length": model.max_length,
        "device": str(model.decoder.embed_tokens.weight.device),
        "precision": conditions.precision,
        "seed": conditions.seed,
        "eval_data": {} if folder is None else _hashes(folder, *DATA_FILES),
        "versions": versions(),
    }


def _own_data(model: OpenModel, name: str, limit: int | None) -> dict[str, Any]:
    """Hashes of the files that only this task reads. Raises ``BadInput`` for a task file that cannot be read."""
    if name == bits_per_byte_task.TASK:
        return manifest.read_record(RunFolder(model.path).data / manifest.FILES_NAME)
    if name.endswith(".toml"):
        return dict(open_user_task(Path(name), limit=limit).files)
    if name.endswith(".jsonl"):
        return {name: _hash(Path(name))}
    return {}


def _hashes(folder: Path, *patterns: str) -> dict[str, str]:
    files = sorted(file for pattern in patterns for file in folder.glob(pattern))
    return {file.relative_to(folder).as_posix(): _hash(file) for file in files}


def _hash(file: Path) -> str:
    # What cannot be read and is needed is reported by whoever scores the task.
    try:
        return sha256_of_file(file)
    except OSError:
        return "unreadable"


def _finished_task(content: dict[str, Any]) -> FinishedTask:
    outcome = content["outcome"]
    scores = {
        task: {metric: Score(**score) for metric, score in metrics.items()}
        for task, metrics in outcome["scores"].items()
    }
    return FinishedTask(outcome=TaskOutcome(**{**outcome, "scores": scores}), seconds=content["seconds"])
